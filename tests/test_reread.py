"""Reading the quarantine again, beside who is writing at the same time."""

import threading
import time
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, select, text

from skan_receiver import events
from skan_receiver.config import Settings
from skan_receiver.errors import Malformed
from skan_receiver.events import unreadable
from skan_receiver.reread import reread
from skan_receiver.storage import Quarantined, Store, event_intake
from skan_receiver.storage.columns import table
from skan_receiver.testing import Signer

QUARANTINE = table(Quarantined)
KEYS = Signer(seed=1).keys()
READABLE = b'{"name": "buy", "at": 1772618000}'

WAITS = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")


def waiting(store: Store) -> int:
    """How many wait for an advisory lock."""
    with store.read() as connection:
        return int(connection.execute(WAITS).scalar_one())


@pytest.mark.postgres
def test_who_rereads_locks_no_row_before_it_may_tell_of_events(postgres_url: str) -> None:
    """Whoever holds the intake, and then wants the same rows, would wait in a circle with it."""
    store = Store(postgres_url)
    settings = Settings()
    fault = Malformed("of an older release", member="at")
    events.Intake(store, settings)(
        [unreadable(datetime.now(UTC), "generic", "mmp", READABLE, fault)]
    )
    moved: list[object] = []
    rereading = threading.Thread(target=lambda: moved.append(reread(store, settings, KEYS)))

    def while_held(connection: Connection) -> list[int]:
        event_intake.hold(connection, withdraws=True)
        rereading.start()
        for _ in range(500):
            if waiting(store):
                break
            time.sleep(0.01)
        free = select(QUARANTINE.c.id).with_for_update(skip_locked=True)
        return list(connection.scalars(free))

    assert len(store.write(while_held)) == 1
    rereading.join()
    store.close()
    assert moved == [{"stored": 1}]
