"""The worker's part: look every minute, in one worker of however many, and tell.

It is this worker, too, that asks whether the endpoint answers.
"""

import secrets
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import Connection, or_, select, update

from skan_receiver.alerting.channels.kind import Wires
from skan_receiver.alerting.endpoint import Endpoint
from skan_receiver.alerting.ledger import note
from skan_receiver.alerting.rule import Finding, Sight
from skan_receiver.alerting.telling import tell
from skan_receiver.alerting.thresholds import Setting, settings
from skan_receiver.config import Settings
from skan_receiver.delivery import Transport
from skan_receiver.storage import Store
from skan_receiver.storage.alerts import CHECK, ONLY
from skan_receiver.storage.checks import note_check
from skan_receiver.storage.upsert import insert_new

log = structlog.get_logger("alerts")

EVERY = timedelta(seconds=60)
EARLY = timedelta(seconds=5)  # clocks differ, and a minute is not to become two
# A worker that has just begun settles first what came meanwhile.
FIRST_SECONDS = 60.0
# Whoever looks is done by then, or was killed.
LEASE = timedelta(minutes=10)


class Watch:
    """Looks when it is time and nobody else does."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        transport: Transport,
        endpoint: Endpoint,
        stop: threading.Event,
        first: float = FIRST_SECONDS,
    ) -> None:
        self._store, self._stop, self._first = store, stop, first
        self._wires, self._endpoint = Wires(transport, settings), endpoint
        self._holder = secrets.token_hex(8)

    def step(self, now: datetime | None = None) -> bool:
        """Never more to do at once."""
        self._stop.wait(self._first)
        self._first = 0
        now = now or datetime.now(UTC)
        if not self._stop.is_set() and self._is_due(now) and self._take_turn(now):
            try:
                self._ask(now)
                check(self._store, self._wires.settings, now)
                tell(self._store, self._wires, now, self._stop)
            finally:
                self._end_turn(now)
        return False

    def _ask(self, now: datetime) -> None:
        if (fault := self._endpoint.fault()) is not None:
            self._store.write(lambda connection: note_check(connection, fault, now))

    def _is_due(self, now: datetime) -> bool:
        with self._store.read() as connection:
            row = connection.execute(select(CHECK).where(CHECK.c.id == ONLY)).first()
        late = row is None or row.checked_at is None or row.checked_at <= now - EVERY + EARLY
        return row is None or (row.until <= now and late)

    def _take_turn(self, now: datetime) -> bool:
        def work(connection: Connection) -> bool:
            insert_new(connection, CHECK, [{"id": ONLY, "holder": "", "until": now}])
            checked = CHECK.c.checked_at
            due = or_(checked.is_(None), checked <= now - EVERY + EARLY)
            free = update(CHECK).where(CHECK.c.id == ONLY, CHECK.c.until <= now, due)
            taken = free.values(holder=self._holder, until=now + LEASE)
            return connection.execute(taken).rowcount == 1

        return self._store.write(work)

    def _end_turn(self, now: datetime) -> None:
        mine = update(CHECK).where(CHECK.c.holder == self._holder).values(holder="", until=now)
        self._store.write(lambda connection: connection.execute(mine))


def check(store: Store, deployed: Settings, now: datetime) -> dict[str, Sequence[Finding]]:
    """Ask every rule that is on, and write down what they found."""
    with store.read() as connection:
        rules = settings(connection)
    found: dict[str, Sequence[Finding]] = {}
    for name, setting in rules.items():
        if not setting.is_off and (said := _asked(store, deployed, setting, now)) is not None:
            found[name] = said
    off = [name for name, setting in rules.items() if setting.is_off]

    def work(connection: Connection) -> None:
        insert_new(connection, CHECK, [{"id": ONLY, "holder": "", "until": now}])
        note(connection, found, off, now)
        connection.execute(update(CHECK).where(CHECK.c.id == ONLY).values(checked_at=now))

    store.write(work)
    return found


def _asked(
    store: Store, deployed: Settings, setting: Setting, now: datetime
) -> Sequence[Finding] | None:
    """What a rule finds; None where it failed: one that breaks keeps no other from being asked."""
    try:
        with store.read() as connection:
            return list(setting.rule.look(Sight(connection, deployed, now, setting.limits)))
    except Exception:
        log.exception("rule failed", rule=setting.rule.name)
        return None
