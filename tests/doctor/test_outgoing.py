"""Where results go: what the doctor sees that would keep them from arriving."""

from skan_receiver.config import Settings
from skan_receiver.delivery import registry
from skan_receiver.doctor import State, look_at_ourselves
from skan_receiver.storage import Store
from tests.delivery.owing import Books, relay
from tests.receiving import NOON


def test_each_destination_is_looked_at(store: Store, store_url: str) -> None:
    """One that is well; one that lacks a secret and an address; one that was given up on."""
    books = Books(store)
    books.owe([relay("https://a.example/", "gone")], 2)
    registry.remove(store, "gone")
    books.define(
        relay("https://a.example/", "well"),
        relay("https://b.example/?k={secret:k}", "lacking", needs_ip=True),
        relay("https://a.example/", "gone"),
    )
    registry.pause(store, "well", "it answered 410 Gone")
    registry.resume(store, "well")
    registry.pause(store, "gone", "it answered 410 Gone")
    findings = look_at_ourselves(Settings(database_url=store_url), NOON)
    told = [(one.what, one.state, one.said) for one in findings if "destination" in one.what]
    assert [what for what, _, _ in told] == (
        ["destination gone"] * 2 + ["destination lacking"] * 2 + ["destination well"]
    )
    assert [state for _, state, _ in told] == [State.WARNING] * 4 + [State.GOOD]
    said = " ".join(said for _, _, said in told)
    assert "410 Gone" in said
    assert "2 deliveries were given up" in said
    assert "destinations secret set lacking k" in said
    assert "SKAN_RELAY_IP=1" in said


def test_an_app_with_two_mmps_is_told(store: Store, store_url: str) -> None:
    """A network that forwards an app's postbacks to both has its installs counted twice."""
    both = (
        relay("https://a.example/", "one", preset="appsflyer", apps=(1, 2)),
        relay("https://b.example/", "two", preset="adjust", apps=(2, 3)),
        relay("https://c.example/", "three", preset="branch", apps=(4,)),
        relay("https://d.example/", "copy", preset="webhook-relay"),
    )
    Books(store).define(*both)
    findings = look_at_ourselves(Settings(database_url=store_url), NOON)
    (told,) = [one.said for one in findings if one.what == "destinations"]
    assert told.startswith("one and two both get an app's postbacks")
