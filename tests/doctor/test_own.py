"""Our own set-up: what the doctor sees in it."""

import json
from datetime import timedelta
from pathlib import Path

from skan_receiver.config import Settings
from skan_receiver.doctor import State, look_at_ourselves
from skan_receiver.storage import Store
from skan_receiver.testing import Signer
from tests.receiving import NOON, Receiver


def test_a_good_set_up_is_all_good(store: Store, store_url: str) -> None:
    """Keys, store, clock, on both stores."""
    now = Receiver(store).now
    findings = look_at_ourselves(Settings(database_url=store_url), now)
    clock = [one for one in findings if one.what == "clock"]
    assert {one.state for one in findings if one.what != "clock"} == {State.GOOD}
    assert len(clock) == 1


def test_what_must_not_be_in_production_is_a_warning(
    store: Store, store_url: str, tmp_path: Path
) -> None:
    """Test keys, and a sandbox."""
    (tmp_path / "keys.json").write_text(json.dumps(Signer().test_keys()))
    settings = Settings(database_url=store_url, test_keys=tmp_path / "keys.json", sandbox=True)
    warned = {o.what for o in look_at_ourselves(settings, NOON) if o.state is State.WARNING}
    assert warned == {"keys", "sandbox"}


def test_postbacks_from_the_future_mean_a_wrong_clock(store: Store, store_url: str) -> None:
    """Counts would be in hours that are still to come."""
    receiver = Receiver(store)
    receiver.receive(receiver.signer.skadnetwork())
    settings = Settings(database_url=store_url)
    before = receiver.now - timedelta(hours=1)
    (clock,) = [one for one in look_at_ourselves(settings, before) if one.what == "clock"]
    assert clock.state is State.BAD
    assert "after now" in clock.said


def test_a_store_of_another_release_and_bad_keys_are_bad(tmp_path: Path) -> None:
    """With their remedy."""
    settings = Settings(
        database_url=f"sqlite:///{tmp_path}/new.sqlite3", test_keys=tmp_path / "none.json"
    )
    found = {one.what: one for one in look_at_ourselves(settings, NOON)}
    assert {one.state for one in found.values()} == {State.BAD}
    assert "db upgrade" in found["store"].said
    assert "none.json" in found["keys"].said
