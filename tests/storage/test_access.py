"""Users, links and keys as they are kept."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from skan_receiver.storage import Store, access, apikeys

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_of_two_that_use_a_link_at_once_one_wins(store: Store) -> None:
    """The other is told that the link is no longer good."""
    token = access.ensure_admin(store, NOW)
    assert token

    def choose(password: str) -> bool:
        return access.choose_password(store, token, password, NOW) is not None

    passwords = ["the first password", "the other password"]
    with ThreadPoolExecutor(2) as pool:
        won = list(pool.map(choose, passwords))
    assert sorted(won) == [False, True]
    assert [bool(access.sign_in(store, "admin", password)) for password in passwords] == won


def test_servers_that_start_together_make_one_admin(store: Store) -> None:
    """Each prints a link; the newest is good."""
    with ThreadPoolExecutor(4) as pool:
        tokens = list(pool.map(lambda _: access.ensure_admin(store, NOW), range(4)))
    assert [row.name for row in access.users(store)] == ["admin"]
    assert sum(access.invited(store, token or "", NOW) is not None for token in tokens) == 1


def test_a_user_is_added_once(store: Store) -> None:
    """A second one of that name would take over the first one's place."""
    assert access.add_user(store, "ada", NOW)
    with pytest.raises(access.AccessError, match="already"):
        access.add_user(store, "ada", NOW)
    with pytest.raises(access.AccessError, match="no user"):
        access.new_link(store, "bob", NOW)


def test_a_key_allows_what_it_says(store: Store) -> None:
    """`admin` covers the rest, but is no partner."""
    grants = {}
    for scopes in (("read",), ("read", "replay"), ("admin",)):
        key = apikeys.create_key(store, "test", scopes, NOW)
        grant = apikeys.verify_key(store, key, NOW)
        assert grant
        grants[scopes] = [scope for scope in apikeys.SCOPES if grant.allows(scope)]
    assert grants == {
        ("read",): ["read"],
        ("read", "replay"): ["read", "replay"],
        ("admin",): ["read", "write", "replay", "events", "admin"],
    }


def test_a_key_ends_when_it_expires_or_is_revoked(store: Store) -> None:
    """At once, and for good."""
    expiring = apikeys.create_key(store, "a", ["read"], NOW, expires_at=NOW + timedelta(days=1))
    revoked = apikeys.create_key(store, "b", ["read"], NOW)
    assert apikeys.verify_key(store, expiring, NOW)
    assert apikeys.verify_key(store, expiring, NOW + timedelta(days=1)) is None
    assert [apikeys.revoke_key(store, 2, NOW) for _ in range(2)] == [True, False]
    assert apikeys.verify_key(store, revoked, NOW) is None
    assert apikeys.verify_key(store, "skan_nobody", NOW) is None


def test_a_key_tells_when_it_was_last_used_to_the_minute(store: Store) -> None:
    """Enough to know which keys nobody needs, and no write for each call."""
    key = apikeys.create_key(store, "test", ["read"], NOW)
    for seconds in (0, 59, 60):
        apikeys.verify_key(store, key, NOW + timedelta(seconds=seconds))
        (row,) = apikeys.keys(store)
        assert row.last_used_at == NOW + timedelta(seconds=60 if seconds == 60 else 0)


@pytest.mark.parametrize(
    ("scopes", "partner"),
    [
        ([], None),
        (["everything"], None),
        (["partner"], None),
        (["read"], "a network"),
        (["partner", "read"], "a network"),
    ],
)
def test_a_key_without_sense_is_not_made(
    store: Store, scopes: list[str], partner: str | None
) -> None:
    """A partner's key is a partner's alone."""
    with pytest.raises(access.AccessError):
        apikeys.create_key(store, "test", scopes, NOW, partner=partner)


def test_somebody_stays_admin(store: Store) -> None:
    """The last one is neither demoted nor removed; what others may is changed at once."""
    access.ensure_admin(store, NOW)
    access.add_user(store, "ada", NOW, access.Permit("viewer", (42,), ("ABC.skadnetwork",)))
    for work in (
        lambda: access.change_user(store, "admin", access.Permit("viewer")),
        lambda: access.remove_user(store, "admin"),
    ):
        with pytest.raises(access.AccessError, match="somebody has to stay admin"):
            work()
    assert {row.name: row.role for row in access.users(store)} == {
        "admin": "admin",
        "ada": "viewer",
    }
    access.change_user(store, "ada", access.Permit("admin"))
    assert access.remove_user(store, "admin")


@pytest.mark.parametrize(
    ("permit", "said"),
    [
        ({"role": "boss"}, "one of viewer, editor, admin"),
        ({"role": "admin", "apps": (42,)}, "an admin sees everything"),
        ({"role": "viewer", "networks": ("a b",)}, "ad-network ids"),
    ],
)
def test_what_nobody_can_be_permitted(permit: dict[str, object], said: str) -> None:
    """It says what can be."""
    with pytest.raises(access.AccessError, match=said):
        access.Permit(**permit)  # type: ignore[arg-type]
