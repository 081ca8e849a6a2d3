"""/settings/test: what a phone in Developer Mode has sent."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from skan_receiver.storage.folder import import_folder
from skan_receiver.testing import Signer, encode
from tests.receiving import NOON
from tests.web.site import SCHEMAS, Site


@pytest.fixture
def tested(sqlite_url: str, tmp_path: Path) -> Iterator[Site]:
    """A site that trusts its signer as a test key, with the folder's schemas published."""
    signer = Signer(seed=1)
    (tmp_path / "test.json").write_text(json.dumps(signer.test_keys()))
    site = Site(sqlite_url, tmp_path, keys=None, test_keys=tmp_path / "test.json")
    site.receiver.signer = signer
    import_folder(site.store, SCHEMAS, NOON)
    site.sign_in()
    yield site
    site.close()


def send(site: Site, **members: object) -> str:
    body = encode(site.receiver.signer.adattributionkit(**members))  # type: ignore[arg-type]
    assert site.client.post("/receive", data=body).status_code == 200
    return site.client.get("/settings/test").text


def test_one_must_be_signed_in(site: Site) -> None:
    """As everywhere under /settings."""
    assert site.client.get("/settings/test").status_code == 303


def test_it_says_how_before_anything_came(tested: Site) -> None:
    """On a phone, or without one."""
    page = tested.client.get("/settings/test").text
    assert "Developer Mode" in page
    assert "simulate send" in page


def test_item_id_0_is_read_as_the_chosen_app(tested: Site) -> None:
    """What Xcode builds has no id of its own in the App Store."""
    page = send(tested, advertised_item_identifier=0, conversion_value=63)
    assert "read as 525463029" in page
    assert "Big spender" in page
    assert "test/skan-receiver-test/0" in page
    assert "525463029" in tested.client.get("/settings/test?app=999").text


def test_other_apps_are_read_by_their_own_schema(tested: Site) -> None:
    """And those without one say so."""
    assert "First purchase" in send(tested, conversion_value=20)
    assert "no schema" in send(tested, advertised_item_identifier=7, conversion_value=20)


def test_production_postbacks_are_not_shown(tested: Site) -> None:
    """Nor invalid ones: this is for tests."""
    body = encode(Signer(seed=2).skadnetwork())
    assert tested.client.post("/receive", data=body).status_code == 200
    assert "None has arrived" in tested.client.get("/settings/test").text


def test_the_page_asks_again_by_itself(tested: Site) -> None:
    """With JavaScript for the rows alone, so that nobody loses their place; without, for all."""
    page = tested.client.get("/settings/test").text
    assert '<noscript><meta http-equiv="refresh"' in page
    assert 'hx-trigger="every 5s"' in page
