"""A log in a real browser: looked into, imported, found, and its report taken home."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from skan_receiver.storage import StoredPostback
from skan_receiver.testing import encode
from tests.web.browser import NEEDS_CHROMIUM, Watch, browsing, sign_in
from tests.web.listening import listening
from tests.web.site import Site

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = NEEDS_CHROMIUM


@pytest.mark.timeout(240)
def test_look_import_find(site: Site, tmp_path: Path) -> None:
    """What is valid, what is not and why, what is twice and what values mean, before anything is
    stored; then it is, and one of them is found by its id."""
    sign = site.signer
    first, big = (sign.skadnetwork(conversion_value=value) for value in (20, 63))
    forged = {**sign.skadnetwork(), "app-id": 7}
    path = tmp_path / "yesterday.ndjson"
    path.write_bytes(b"\n".join([*map(encode, (first, big, first, forged)), b"junk"]))
    with listening(site.app) as address, browsing() as page:
        watch = Watch(page, address)
        sign_in(page, site, address)
        page.get_by_role("link", name="Postbacks", exact=True).click()
        page.get_by_role("link", name="Upload a log").click()
        page.get_by_label("one postback a line").set_input_files(path)
        page.get_by_role("button", name="Look into it").click()
        page.get_by_role("heading", name="yesterday.ndjson").wait_for()
        told = _totals(page)
        assert told == {
            "Lines": "5", "valid": "3", "invalid": "1", "Unreadable": "1",
            "Twice in the file": "1", "Here already": "0",
        }  # fmt: skip
        for said in ("1 invalid: signature does not match", "Line 5: ", "Big spender"):
            assert page.get_by_text(said).first.is_visible(), said
        assert site.receiver.rows(StoredPostback) == []

        page.get_by_role("button", name="Import it").click()
        page.get_by_text("Imported: 1 duplicate, 1 refused, 3 stored.").wait_for()
        page.get_by_label("Postback id").fill(str(big["transaction-id"]))
        page.get_by_role("button", name="Search").click()
        page.locator("tbody a").first.click()
        page.get_by_role("heading", name=str(big["transaction-id"])).wait_for()
        assert page.get_by_text("Big spender").first.is_visible()
        assert watch.saw_nothing()


@pytest.mark.timeout(240)
def test_a_report_is_taken_home(site: Site, tmp_path: Path) -> None:
    """Its files, as CSV and as Parquet, hold the numbers of the page."""
    pandas = pytest.importorskip("pandas", reason="the extra `analytics` installs it")
    for value in (20, 20, 63, None):
        site.receiver.receive(site.signer.skadnetwork(conversion_value=value))
    site.receiver.receive({**site.signer.skadnetwork(), "app-id": 7})
    site.receiver.settle()
    with listening(site.app) as address, browsing() as page:
        watch = Watch(page, address)
        sign_in(page, site, address)
        page.get_by_role("link", name="Reports", exact=True).click()
        page.locator("a[href='/reports/volumes']").click()
        for name in page.get_by_role("checkbox").all():
            name.uncheck()
        page.get_by_role("checkbox", name="day", exact=True).check()
        page.get_by_role("checkbox", name="verdict", exact=True).check()
        page.get_by_role("button", name="Show").click()
        page.get_by_role("heading", name="2 rows").wait_for()
        shown = _rows(page)
        columns = ["day", "verdict", "postbacks", "counted", "installs"]
        frames = [
            pandas.read_csv(_saved(page, "CSV", tmp_path / "volumes.csv")),
            pandas.read_parquet(_saved(page, "Parquet", tmp_path / "volumes.parquet")),
        ]
        for frame in frames:
            assert list(frame.columns) == columns
            taken = [[str(cell) for cell in row] for row in frame.itertuples(index=False)]
            assert sorted(taken) == sorted(shown)
            assert frame["postbacks"].sum() == 5
        assert watch.saw_nothing()


def _totals(page: "Page") -> dict[str, str]:
    names = page.locator("dl.totals dt").all_inner_texts()
    return dict(zip(names, page.locator("dl.totals dd").all_inner_texts(), strict=True))


def _rows(page: "Page") -> list[list[str]]:
    rows = page.locator("tbody tr").all()
    return [[cell.inner_text() for cell in row.locator("td").all()] for row in rows]


def _saved(page: "Page", link: str, path: Path) -> Path:
    with page.expect_download() as started:
        page.get_by_role("link", name=link, exact=True).click()
    download = started.value
    assert download.suggested_filename == path.name
    download.save_as(path)
    return path
