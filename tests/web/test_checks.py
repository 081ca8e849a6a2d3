"""Whether the endpoint answered: beside an id that is not there, on the dashboard, in the API."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from skan_receiver.storage import access
from skan_receiver.storage.checks import UNCHECKED, note_check
from tests.web.site import PASSWORD, Site

NOBODY = "/postbacks?id=00000000-0000-4000-8000-000000000000"


@pytest.fixture
def kept(either_site: Site) -> Site:
    """A postback of an hour ago, and somebody who looks."""
    either_site.receiver.now -= timedelta(hours=1)
    either_site.receiver.receive(either_site.signer.skadnetwork())
    either_site.receiver.settle()
    either_site.sign_in()
    return either_site


def checked(site: Site, *ends: tuple[int, str]) -> datetime:
    """Checks so many minutes ago, and how they ended; when now is."""
    now = datetime.now(UTC).replace(microsecond=0)
    for ago, fault in ends:
        at = now - timedelta(minutes=ago)
        site.store.write(lambda connection, f=fault, a=at: note_check(connection, f, a))  # type: ignore[misc]
    return now


def test_nobody_asked(kept: Site) -> None:
    """Because nobody knows where, or the worker has not begun."""
    assert "is not checked: <code>SKAN_PUBLIC_URL</code>" in kept.client.get(NOBODY).text
    assert kept.client.get("/api/v1/checks", headers=kept.key("read")).json == {
        "since": None, "until": None, "made": 0, "failed": 0, "troubles": [],
    }  # fmt: skip


def test_it_answered_every_check(kept: Site) -> None:
    """Where the id is not, and on the first page."""
    checked(kept, *((ago, "") for ago in range(50, -1, -1)))
    for path in (NOBODY, "/"):
        page = kept.client.get(path).text
        assert "The endpoint answered every check since" in page
        assert ", 51 of them" in page
        assert "not known to have answered" not in page


def test_when_it_did_not_is_told_with_the_reason(kept: Site) -> None:
    """And when nobody asked."""
    now = checked(kept, (50, ""), (49, "<down>"), (48, "<down>"), (47, ""), (2, ""))
    page = kept.client.get(NOBODY).text
    assert "answered 3 of 5 checks" in page
    assert "&lt;down&gt;" in page
    assert UNCHECKED in page
    told: Any = kept.client.get("/api/v1/checks", headers=kept.key("read")).json
    assert (told["made"], told["failed"]) == (5, 2)
    assert [(one["fault"], one["is_unchecked"]) for one in told["troubles"]] == [
        (UNCHECKED, True),
        ("<down>", False),
    ]
    assert datetime.fromisoformat(told["until"]) == now - timedelta(minutes=2)


def test_whoever_sees_some_apps_is_told_when_and_not_why(kept: Site) -> None:
    """A fault can name machines that are nobody else's business."""
    checked(kept, (3, ""), (2, "cannot connect to 10.0.0.5"), (1, ""))
    assert "10.0.0.5" in kept.client.get("/").text
    permit = access.Permit("viewer", apps=(525463029,))
    token = access.add_user(kept.store, "ana", datetime.now(UTC), permit)
    kept.client = kept.browser()
    assert kept.submit(f"/login/{token}", password=PASSWORD, again=PASSWORD).status_code == 303
    page = kept.client.get("/").text
    assert "answered 2 of 3 checks" in page
    assert "10.0.0.5" not in page


def test_old_checks_say_how_old_they_are(kept: Site) -> None:
    """Weeks after the last one, and that nobody asks any more where no address is set."""
    checked(kept, (60 * 24 * 20, ""))
    page = kept.client.get("/").text
    assert UNCHECKED in page
    assert "is not checked any more" in page
