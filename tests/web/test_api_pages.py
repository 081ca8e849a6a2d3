"""Lists in pages, and what somebody has already."""

from datetime import UTC, datetime
from typing import Any

import pytest

from skan_receiver.delivery import registry
from skan_receiver.delivery.save import checked
from skan_receiver.storage import access, audit
from skan_receiver.storage.access import Permit
from skan_receiver.web import cursor
from tests.delivery.owing import Books, relay
from tests.web.site import Site

NAMES = ["Zoë", "ana", "ben", "carl-1", "çelik"]


def five_of_each(site: Site) -> dict[str, str]:
    """A key that sees them all."""
    for name in NAMES:
        access.add_user(site.store, name, datetime.now(UTC), Permit("admin"))
    for name in ("a", "b-1", "b1", "c", "d"):
        definition = {"name": name, "kind": "relay", "url": "https://mmp.example/in"}
        registry.add(site.store, checked(definition, site.settings), paused=True)
    Books(site.store).owe([relay("https://a.example/", "volumes")], 5)
    for number in range(5):
        site.store.write(lambda c, n=number: audit.record(c, "nobody", "test", str(n)))  # type: ignore[misc]
    for _ in range(4):
        site.key("read")
    return site.key("admin")


def walked(site: Site, path: str, key: dict[str, str], limit: int = 2) -> list[list[Any]]:
    return [page[path] for page in site.walk(path, key, limit=limit)]


@pytest.mark.parametrize(
    ("path", "member"),
    [("users", "name"), ("keys", "id"), ("destinations", "name"), ("deliveries", "id")],
)
def test_each_comes_once(either_site: Site, path: str, member: str) -> None:
    """Whatever the size of a page; the last says that it is."""
    key = five_of_each(either_site)
    ((*whole,),) = walked(either_site, path, key, limit=1_000)
    pages = walked(either_site, path, key)
    assert [len(page) for page in pages[:-1]] == [2] * (len(pages) - 1)
    seen = [one[member] for page in pages for one in page]
    assert seen == [one[member] for one in whole]
    assert len(set(seen)) == len(seen) >= 5


def test_the_audit_log_ends_with_its_first_entry(either_site: Site) -> None:
    """The newest first."""
    key = five_of_each(either_site)
    pages = either_site.walk("audit", key, limit=2)
    found = [one["number"] for page in pages for one in page["entries"]]
    assert found == sorted(found, reverse=True)
    assert (found[-1], len(found)) == (1, len(set(found)))


@pytest.mark.parametrize("path", ["users", "keys", "destinations", "deliveries", "audit"])
@pytest.mark.parametrize(
    "bad",
    ["zzz", "ä", cursor.of_name("a\0b"), cursor.of_number(2**63), cursor.of_name("1") + "="],
)
def test_a_cursor_of_somebody_elses_is_refused(site: Site, path: str, bad: str) -> None:
    """By name, rather than with a page of something else."""
    answer = site.client.get(
        f"/api/v1/{path}", query_string={"cursor": bad}, headers=site.key("admin")
    )
    goes_by_name = path in ("users", "destinations") and bad == cursor.of_number(2**63)
    assert answer.status_code == (200 if goes_by_name else 422)
    if not goes_by_name:
        assert answer.json["errors"][0]["where"] == "cursor"  # type: ignore[index]


@pytest.mark.parametrize("path", ["postbacks/1", "deliveries/1", "alerts/rules/null_rate"])
def test_what_somebody_has_already_is_not_sent_again(site: Site, path: str) -> None:
    """A 304 without a body, until the answer is another."""
    body = site.signer.skadnetwork()
    Books(site.store).owe([relay("https://a.example/", "volumes")])
    key = site.key("read")
    first = site.client.get(f"/api/v1/{path}", headers=key)
    tag = first.headers["ETag"]
    again = site.client.get(f"/api/v1/{path}", headers=key | {"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    other = site.client.get(f"/api/v1/{path}", headers=key | {"If-None-Match": '"another"'})
    assert other.data == first.data
    site.receiver.receive(body)
    newer = site.client.get(f"/api/v1/{path}", headers=key | {"If-None-Match": tag})
    assert newer.status_code == (200 if path == "postbacks/1" else 304)


def test_a_destination_is_told_anew_though_nobody_changed_it(site: Site) -> None:
    """Its number is of its definition, and it says too what it is owed by now."""
    key = five_of_each(site)
    first = site.client.get("/api/v1/destinations/a", headers=key)
    assert first.headers["ETag"] == '"1"'
    again = site.client.get("/api/v1/destinations/a", headers=key | {"If-None-Match": '"1"'})
    assert again.status_code == 200
