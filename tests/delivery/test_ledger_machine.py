"""In whatever order things happen: nothing owed is lost, and nothing is held by two.

A machine does what workers, people and destinations may do to a ledger, and keeps a model of what
must come of it. Leases go by the database's clock: time passes by rewriting what is written.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Connection, Row, Table, bindparam, delete, select, update

from skan_receiver.delivery import Entry, Owed, gate, ledger, owe, replay
from skan_receiver.delivery.gate import Ask, Told
from skan_receiver.delivery.ledger import Tried
from skan_receiver.delivery.registry import add, change, pause, remove, resume
from skan_receiver.storage import Attempt, Delivery, Store, StoredDestination
from skan_receiver.storage.clock import clock
from skan_receiver.storage.columns import table
from tests.delivery.owing import relay

DELIVERY, ATTEMPT, DESTINATION = table(Delivery), table(Attempt), table(StoredDestination)

# All of it long beside the seconds that the test itself takes.
HOUR = 3600.0
LEASE = HOUR / 2
PASSES = (30.0, 60.0, 600.0, LEASE, 2 * HOUR, 80 * HOUR)
NAMES = ("first", "rated", "second")
RATES = {"rated": 1 / 600}

# How a try ends: the state that follows, in how many seconds, and whether it was refused.
ENDS = (
    ("done", 0.0, False), ("dead", 0.0, True), ("owed", 0.0, False), ("owed", 60.0, False),
    ("owed", LEASE, True), ("owed", 2 * HOUR, False),
)  # fmt: skip

SETTLED = ("done", "dead")

LINE_UP = update(DELIVERY).where(DELIVERY.c.id == bindparam("at")).values(next_at=bindparam("due"))

# A delivery by its id, and one claim of it.
Hold = tuple[int, str]

Rows = Sequence[Row[Any]]

WORKERS = st.integers(0, 2)


@dataclass(slots=True)
class Line:
    """What must be written of a delivery."""

    id: int
    name: str
    sealed: bool
    due: float  # by the model's clock
    state: str = "owed"
    claim: str | None = None
    attempts: int = 0
    refusals: int = 0
    replays: int = 0
    tries: int = 0  # on record, those of late workers too

    def settle(self, state: str) -> None:
        self.state, self.claim, self.sealed = state, None, False

    @property
    def facts(self) -> tuple[Any, ...]:
        counted = self.attempts, self.refusals, self.replays
        return self.state, self.claim, *counted, self.sealed


@dataclass(slots=True)
class Place:
    """What must be written of a destination."""

    paused: bool
    ours: bool = False  # the pause was
    revision: int = 1
    probes: int = 0
    open_until: float | None = None
    failing_since: float | None = None
    drawn_at: float | None = None  # from its bucket, which holds one

    def heal(self) -> None:
        self.ours, self.probes, self.open_until, self.failing_since = False, 0, None, None

    @property
    def facts(self) -> tuple[Any, ...]:
        failing = self.failing_since is not None
        return self.paused, self.ours, self.revision, self.probes, failing


@dataclass(slots=True)
class World:
    """The model: what is owed, to whom, and what time it is."""

    now: float = 0.0
    lines: dict[int, Line] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)

    def due(self, name: str) -> list[Line]:
        waiting = (line for line in self.lines.values() if line.state not in SETTLED)
        return [line for line in waiting if line.name == name and line.due <= self.now]

    def allowed(self, name: str, limit: int) -> int:
        """As many as may be claimed; they count as claimed."""
        place = self.places.get(name)
        if place is None or place.paused:
            return 0
        if place.open_until is not None:
            return self._probe(place)
        return limit if name not in RATES else self._draw(place)

    def held(self, name: str) -> int:
        """How many claims of a destination are held."""
        mine = (line for line in self.lines.values() if line.name == name and line.due > self.now)
        return len({line.claim for line in mine if line.state == "leased"})

    def _probe(self, place: Place) -> int:
        assert place.open_until is not None
        if self.now < place.open_until:
            return 0
        place.probes += 1
        place.open_until = self.now + min(600, 30 * 2**place.probes)
        return 1

    def _draw(self, place: Place) -> int:
        if place.drawn_at is not None and self.now < place.drawn_at + 600:
            return 0
        place.drawn_at = self.now
        return 1

    def hear(self, place: Place, told: Told) -> None:
        """What follows from news of a destination."""
        before = place.open_until, place.failing_since
        if told.gone:
            return self._pause(place)
        if told.taken:
            place.failing_since = None
            if told.probe:
                place.open_until, place.probes = None, 0
        return self._worry(place, told, *before) if told.failed else None

    def _worry(self, place: Place, told: Told, shut: float | None, since: float | None) -> None:
        if not told.taken and since is not None and since <= self.now - 72 * HOUR:
            return self._pause(place)
        if not told.taken and since is None:
            place.failing_since = self.now
        if told.bad and shut is None:
            place.open_until, place.probes = self.now + 30, 0
        return None

    def _pause(self, place: Place) -> None:
        if not place.paused:
            place.paused = place.ours = True

    def end(self, hold: Hold, state: str, again: float, refused: bool) -> bool:
        """A try has ended; whether it was the holder's."""
        line = self.lines[hold[0]]
        line.tries += 1
        if line.claim != hold[1]:
            return False
        line.attempts += 1
        if state in SETTLED:
            line.settle(state)
        else:
            line.state, line.claim, line.due = state, None, self.now + again
            line.refusals += refused
        return True


def news() -> st.SearchStrategy[Told]:
    """What a batch of tries may tell."""

    def told(taken: bool, failed: bool, more: tuple[bool, bool, bool]) -> Told:
        gone, bad, probe = more
        failed = failed or not taken
        return Told(taken, failed, failed and gone, failed and bad, taken and probe)

    seldom = st.integers(0, 4).map(lambda n: n == 4)
    more = st.tuples(seldom, seldom, st.booleans())
    return st.builds(told, st.booleans(), st.booleans(), more)


class Machine(RuleBasedStateMachine):
    """Three workers, three destinations, and people who change them."""

    def __init__(self, store: Store, seen: Counter[str]) -> None:
        super().__init__()
        self.store, self.seen = store, seen
        self.world = World()
        self.owed: list[Owed] = []
        self.entries: list[tuple[Entry, Place]] = []
        self.hands: list[dict[Hold, float]] = [{}, {}, {}]  # held, and believed to be until then
        self.over: dict[Hold, None] = {}  # in the order in which they were put down
        self.finals: dict[int, tuple[str, int]] = {}
        self.seen["steps"] -= 1  # the first look comes before any step
        store.write(_empty)
        for name in NAMES:
            self._add(name, paused=False)
        self.owe(set(NAMES), 8, ip=True)

    # What is owed.

    @rule(
        names=st.sets(st.sampled_from(NAMES), min_size=1), many=st.integers(1, 5), ip=st.booleans()
    )
    def owe(self, names: set[str], many: int, ip: bool) -> None:
        to = sorted(names & self.world.places.keys())
        first = len(self.owed) + 1
        fresh = [
            Owed(number.to_bytes(16, "big"), number, name, b"sealed" if ip else None)
            for number in range(first, first + many)
            for name in to
        ]
        self.owed += fresh
        self._owe(fresh)

    @precondition(lambda self: self.owed)
    @rule(data=st.data())
    def owe_again(self, data: st.DataObject) -> None:
        self._owe(some(data, self.owed))

    @precondition(lambda self: self.world.lines)
    @rule(data=st.data(), states=st.sampled_from([("dead",), ("dead", "done")]))
    def replay(self, data: st.DataObject, states: tuple[str, ...]) -> None:
        ids = some(data, sorted(self.world.lines))
        lines = [self.world.lines[id_] for id_ in ids]
        known = [line for line in lines if line.name in self.world.places]
        again = [line for line in known if line.state in states]
        which = replay.Which(ids=tuple(ids), states=states)
        assert replay.again(self.store, which) == len(again)
        for line in again:
            line.state, line.due, line.replays = "owed", self.world.now, line.replays + 1
            line.attempts = line.refusals = 0
        self.seen["replayed"] += len(again)

    # Workers.

    @rule(
        worker=WORKERS,
        limits=st.dictionaries(st.sampled_from(NAMES), st.integers(1, 5), min_size=1),
    )
    def claim(self, worker: int, limits: dict[str, int]) -> None:
        self._line_up()
        asks = [Ask(name, limit, RATES.get(name)) for name, limit in limits.items()]
        rows = ledger.claim(self.store, asks, timedelta(seconds=LEASE))
        by_name: defaultdict[str, list[Row[Any]]] = defaultdict(list)
        for row in rows:
            by_name[row.destination].append(row)
        for ask in asks:
            due, limit = self.world.due(ask.name), self.world.allowed(ask.name, ask.limit)
            self._claimed(worker, due, limit, by_name.pop(ask.name, []))
        assert not by_name

    @precondition(lambda self: self.world.lines)
    @rule(worker=WORKERS, at_once=st.integers(1, 3), data=st.data())
    def claim_these(self, worker: int, at_once: int, data: st.DataObject) -> None:
        """As a worker does that an engine has told of some."""
        self._line_up()
        name = data.draw(st.sampled_from([line.name for line in self.world.lines.values()]))
        lines = [line for line in self.world.lines.values() if line.name == name]
        told = some(data, lines)
        due = [line for line in self.world.due(name) if line in told]
        limit = 0
        if due and self.world.held(name) < at_once:
            limit = self.world.allowed(name, len(due))
        ask, lease = Ask(name, 1, RATES.get(name)), timedelta(seconds=LEASE)
        ids = [line.id for line in told]
        self._claimed(worker, due, limit, ledger.claim_these(self.store, ask, ids, lease, at_once))

    @rule(worker=WORKERS, data=st.data())
    def work(self, worker: int, data: st.DataObject) -> None:
        """As it mostly goes: claim what there is, and try some of it."""
        self.claim(worker, dict.fromkeys(NAMES, 3))
        if self.hands[worker]:
            self._complete(self._put_down(worker, data), data)

    @precondition(lambda self: any(self.hands))
    @rule(data=st.data())
    def renew(self, data: st.DataObject) -> None:
        """All that a worker believes to hold still."""
        hand, now = self.hands[self._busy(data)], self.world.now
        lasting = [hold for hold, until in hand.items() if until > now]
        self._renew(lasting)
        hand.update(dict.fromkeys(lasting, now + LEASE))

    @precondition(lambda self: any(self.hands))
    @rule(data=st.data())
    def complete(self, data: st.DataObject) -> None:
        """Also what a worker does not hold any more, though it does not know yet."""
        self._complete(self._put_down(self._busy(data), data), data)

    @precondition(lambda self: any(self.hands))
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        self._release(self._put_down(self._busy(data), data))

    @precondition(lambda self: any(self.hands))
    @rule(data=st.data())
    def crash(self, data: st.DataObject) -> None:
        hand = self.hands[self._busy(data)]
        self.over |= dict.fromkeys(hand)
        hand.clear()

    @precondition(lambda self: self.over)
    @rule(data=st.data(), what=st.sampled_from(["complete", "release", "renew"]))
    def come_back(self, data: st.DataObject, what: str) -> None:
        """A worker that was thought dead goes on, or one writes down twice what it tried once."""
        holds = some(data, list(self.over))
        if what == "complete":
            self._complete(holds, data)
        elif what == "release":
            self._release(holds)
        else:
            self._renew(holds)

    # Time and destinations.

    @rule(seconds=st.sampled_from(PASSES))
    def time_passes(self, seconds: float) -> None:
        passed = timedelta(seconds=seconds)
        moments = ("failing_since", "open_until", "tokens_at")

        def work(connection: Connection) -> None:
            _earlier(connection, passed, DELIVERY, "id", "next_at")
            _earlier(connection, passed, DESTINATION, "name", *moments)

        self.store.write(work)
        self.world.now += seconds

    @precondition(lambda self: self.entries)
    @rule(data=st.data(), told=news())
    def hear(self, data: st.DataObject, told: Told) -> None:
        """News of a destination, as it is or as it once was."""
        self._hear(*data.draw(st.sampled_from(self.entries[-6:])), told)

    @rule(worker=WORKERS, after=st.sampled_from([0.0, 30.0, 600.0]))
    def outage(self, worker: int, after: float) -> None:
        """The breaker of the destination that was changed last opens; somebody comes by."""
        entry, place = self.entries[-1]
        self._hear(entry, place, Told(taken=False, failed=True, bad=True))
        self.time_passes(after)
        self.claim(worker, {entry.name: 5})

    @precondition(lambda self: self.world.places)
    @rule(data=st.data(), what=st.sampled_from(["pause", "resume", "resume", "change"]))
    def decide(self, data: st.DataObject, what: str) -> None:
        name = data.draw(st.sampled_from(sorted(self.world.places)))
        place = self.world.places[name]
        if what == "pause":
            pause(self.store, name)
            place.paused, place.ours = True, False
        elif what == "resume":
            resume(self.store, name)
            place.paused = False
            place.heal()
        else:
            place.revision += 1
            place.paused = place.paused and not place.ours
            place.heal()
            entry = change(self.store, relay(f"https://example.com/{place.revision}", name))
            self.entries.append((entry, place))

    @precondition(lambda self: self.world.places)
    @rule(data=st.data(), really=st.integers(0, 3))
    def remove(self, data: st.DataObject, really: int) -> None:
        """Once in a while."""
        name = data.draw(st.sampled_from(sorted(self.world.places)))
        if really:
            return
        waiting = [
            line
            for line in self.world.lines.values()
            if line.name == name and line.state not in SETTLED
        ]
        assert remove(self.store, name) == len(waiting)
        for line in waiting:
            line.settle("dead")
        for hand in self.hands:  # workers see within a second that it is no more
            for hold in [hold for hold in hand if self.world.lines[hold[0]].name == name]:
                del hand[hold]
                self.over[hold] = None
        del self.world.places[name]

    @precondition(lambda self: len(self.world.places) < len(NAMES))
    @rule(data=st.data(), paused=st.booleans())
    def add(self, data: st.DataObject, paused: bool) -> None:
        missing = sorted(set(NAMES) - self.world.places.keys())
        self._add(data.draw(st.sampled_from(missing)), paused=paused)

    @invariant()
    def all_is_well(self) -> None:
        """After every step."""
        self.seen["steps"] += 1
        with self.store.read() as connection:
            now = clock(connection)
            deliveries, destinations, attempts = (
                connection.execute(select(one).order_by(*one.primary_key)).all()
                for one in (DELIVERY, DESTINATION, ATTEMPT)
            )
        self._nothing_is_lost_and_each_is_as_it_must_be(deliveries, now)
        self._destinations_are_as_they_must_be(destinations, now)
        self._a_try_is_written_once_and_counted_at_most_once(attempts)
        self._done_and_dead_are_final_until_replayed(deliveries)
        self._each_is_held_by_one_at_most()

    def _nothing_is_lost_and_each_is_as_it_must_be(self, rows: Rows, now: datetime) -> None:
        lines = self.world.lines
        assert [row.id for row in rows] == sorted(lines)
        for row in rows:
            line = lines[row.id]
            assert _facts(row) == line.facts, line
            assert (row.settled_at is not None) == (row.state in SETTLED), line
            if row.state not in SETTLED:
                assert (row.next_at <= now) == (line.due <= self.world.now), line

    def _destinations_are_as_they_must_be(self, rows: Rows, now: datetime) -> None:
        assert [row.name for row in rows] == sorted(self.world.places)
        for row in rows:
            place = self.world.places[row.name]
            failing = row.failing_since is not None
            ours = bool(row.paused_because)
            assert (row.paused, ours, row.revision, row.probes, failing) == place.facts
            assert (row.open_until is None) == (place.open_until is None)
            if place.open_until is not None:
                assert (row.open_until <= now) == (place.open_until <= self.world.now)

    def _a_try_is_written_once_and_counted_at_most_once(self, rows: Rows) -> None:
        written = Counter(row.delivery_id for row in rows)
        for line in self.world.lines.values():
            assert line.attempts <= line.tries == written[line.id]

    def _done_and_dead_are_final_until_replayed(self, rows: Rows) -> None:
        for row in rows:
            state, replays = self.finals.pop(row.id, (row.state, row.replays))
            assert replays < row.replays or state == row.state
            if row.state in SETTLED:
                assert row.sealed_ip is None
                self.finals[row.id] = row.state, row.replays

    def _each_is_held_by_one_at_most(self) -> None:
        """By who is sure of it, on its own clock."""
        hands = (hand.items() for hand in self.hands)
        held = [id_ for hand in hands for (id_, _), until in hand if until > self.world.now]
        assert len(held) == len(set(held))

    # How it is done.

    def _add(self, name: str, *, paused: bool) -> None:
        time.sleep(0.002)  # no two of a name within a tick of SQLite's clock
        entry = add(self.store, relay("https://example.com/", name), paused=paused)
        self.world.places[name] = Place(paused)
        self.entries.append((entry, self.world.places[name]))

    def _hear(self, entry: Entry, place: Place, told: Told) -> None:
        self.store.write(lambda connection: gate.follow(connection, entry, told))
        if self.world.places.get(entry.name) is place and place.revision == entry.revision:
            self.world.hear(place, told)

    def _owe(self, owed: Iterable[Owed]) -> None:
        self.store.write(lambda connection: owe(connection, owed, datetime.now(UTC)))
        with self.store.read() as connection:
            rows = connection.execute(select(DELIVERY).order_by(DELIVERY.c.id)).all()
        for row in rows:
            if row.id not in self.world.lines:
                sealed = row.sealed_ip is not None
                self.world.lines[row.id] = Line(row.id, row.destination, sealed, self.world.now)

    def _line_up(self) -> None:
        """What is due, in the model's order and by id: within a moment of the clock any of them
        might be the oldest, and a machine has to do the same thing twice."""
        due = [line for name in NAMES for line in self.world.due(name)]

        def work(connection: Connection) -> None:
            now = clock(connection) - timedelta(seconds=1)
            moved = [
                {"at": line.id, "due": now - timedelta(seconds=self.world.now - line.due)}
                for line in due
            ]
            connection.execute(LINE_UP, moved)

        if due:
            self.store.write(work)

    def _claimed(self, worker: int, due: list[Line], limit: int, rows: Rows) -> None:
        """As many as are allowed, the oldest of those due, under a claim that nobody had."""
        assert len(rows) == min(limit, len(due))
        claimed = [self.world.lines[row.id] for row in rows]
        left = [line.due for line in due if line not in claimed]
        assert all(line in due and line.due <= min(left, default=1e9) for line in claimed)
        for place in [self.world.places[line.name] for line in claimed]:
            assert not place.paused
            assert place.open_until is None or len(rows) == 1
            self.seen["probes"] += place.open_until is not None
        known: list[Container[Hold]] = [*self.hands, self.over]
        for row, line in zip(rows, claimed, strict=True):
            assert not any((row.id, row.claim_id) in holds for holds in known)
            assert (row.attempts, row.refusals) == (line.attempts, line.refusals)
            self.seen["claimed"] += 1
            self.seen["taken over"] += line.state == "leased"
            line.state, line.claim, line.due = "leased", row.claim_id, self.world.now + LEASE
            self.hands[worker][row.id, row.claim_id] = line.due

    def _busy(self, data: st.DataObject) -> int:
        """A worker that has something in hand."""
        return data.draw(st.sampled_from([n for n, hand in enumerate(self.hands) if hand]))

    def _put_down(self, worker: int, data: st.DataObject) -> list[Hold]:
        """Some of what it has in hand, which it is done with."""
        hand = self.hands[worker]
        holds = some(data, list(hand))
        for hold in holds:
            del hand[hold]
        self.over |= dict.fromkeys(holds)
        return holds

    def _complete(self, holds: list[Hold], data: st.DataObject) -> None:
        ends = [data.draw(st.sampled_from(ENDS)) for _ in holds]
        ledger.complete(self.store, [_tried(*one) for one in zip(holds, ends, strict=True)])
        for hold, end in zip(holds, ends, strict=True):
            self.seen["tries"] += 1
            self.seen["too late"] += not self.world.end(hold, *end)

    def _release(self, holds: list[Hold]) -> None:
        ledger.release(self.store, holds)
        for line in self._still_held(holds):
            line.state, line.claim, line.due = "owed", None, self.world.now

    def _renew(self, holds: list[Hold]) -> None:
        ledger.renew(self.store, holds, timedelta(seconds=LEASE))
        for line in self._still_held(holds):
            line.due = self.world.now + LEASE

    def _still_held(self, holds: Iterable[Hold]) -> Iterable[Line]:
        lines = ((self.world.lines[id_], claim) for id_, claim in holds)
        return [line for line, claim in lines if line.claim == claim]


def some(data: st.DataObject, things: Sequence[Any]) -> list[Any]:
    """Between one and four of them, no two the same."""
    chosen = st.lists(st.sampled_from(range(len(things))), min_size=1, max_size=4, unique=True)
    return [things[index] for index in data.draw(chosen)]


def _empty(connection: Connection) -> None:
    for target in (DELIVERY, ATTEMPT, DESTINATION):
        connection.execute(delete(target))


def _earlier(
    connection: Connection, passed: timedelta, target: Table, key: str, *names: str
) -> None:
    """Rewrite moments: as if that much time had passed since."""
    moved = [
        {"at": getattr(row, key)}
        | {name: at and at - passed for name in names for at in [getattr(row, name)]}
        for row in connection.execute(select(target))
    ]
    if moved:
        values: dict[str, Any] = {name: bindparam(name) for name in names}
        connection.execute(
            update(target).where(target.c[key] == bindparam("at")).values(values), moved
        )


def _facts(row: Row[Any]) -> tuple[Any, ...]:
    counted = row.attempts, row.refusals, row.replays
    return row.state, row.claim_id, *counted, row.sealed_ip is not None


def _tried(hold: Hold, end: tuple[str, float, bool]) -> Tried:
    state, again, refused = end
    attempt = {
        "delivery_id": hold[0], "at": datetime.now(UTC), "status": 200, "duration_ms": 1,
        "error_class": "", "error": "", "answer": "", "url": "https://example.com/",
    }  # fmt: skip
    return Tried(*hold, state, timedelta(seconds=again), attempt, refused and state == "owed")


def ran(store: Store, *, examples: int, steps: int, least: int) -> Counter[str]:
    """Let the machine run, again until it has made so many steps; what was done."""
    seen: Counter[str] = Counter()
    run: Callable[[], Machine] = lambda: Machine(store, seen)  # noqa: E731  # a factory
    asked = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    while seen["steps"] < least:
        run_state_machine_as_test(run, settings=asked)  # type: ignore[arg-type]  # or a function
    return seen


@pytest.mark.timeout(600)
def test_nothing_is_lost_whatever_happens(store: Store) -> None:
    """Some 500 steps, each with everything looked at after it."""
    seen = ran(store, examples=12, steps=50, least=500)
    assert seen["steps"] >= 500


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_nothing_is_lost_in_ten_thousand_steps(store: Store) -> None:
    """And what may go wrong did, many times."""
    seen = ran(store, examples=150, steps=100, least=10_000)
    assert seen["steps"] >= 10_000
    happened = ("tries", "too late", "taken over", "probes", "replayed")
    assert all(seen[name] >= 20 for name in happened), seen
