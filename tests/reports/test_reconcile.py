"""Statements made out of our own postbacks, with differences planted in them, on both stores.

The world is that of `make demo`. What was planted is found again, with the right number.
"""

import base64
import csv
import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert, select

from skan_receiver.config import Settings
from skan_receiver.conversion.timing import usual_install
from skan_receiver.ingest import Incoming, Ingest
from skan_receiver.reports import REPORTS, Filters, Period, Question, Unanswerable
from skan_receiver.settle import settle
from skan_receiver.simulator.keys import make_keys, signer
from skan_receiver.simulator.run import Run
from skan_receiver.simulator.world import load_world
from skan_receiver.storage import (
    Delivery,
    Registered,
    Store,
    StoredDestination,
    StoredPostback,
    migrate,
)
from skan_receiver.storage.columns import table
from skan_receiver.storage.predicate import counts
from skan_receiver.storage.statement_import import import_statement
from skan_receiver.storage.statement_reading import Asked

ROOT = Path(__file__).parents[2]
SANDBOX = Settings(sandbox=True)
START, DAYS = date(2026, 9, 1), 24
# The days that are compared; the world begins before and ends after.
FIRST, LAST = date(2026, 9, 8), date(2026, 9, 20)
SEPTEMBER = Period(datetime(2026, 9, 8, tzinfo=UTC), datetime(2026, 9, 21, tzinfo=UTC))
BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 1, tzinfo=UTC)
APP = 525463029
POSTBACK, DELIVERY = table(StoredPostback), table(Delivery)

Rows = list[dict[str, Any]]
Demo = tuple[list[Incoming], Any]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """What arrives in the demo's first weeks, and the keys it is signed with."""
    world = load_world(ROOT / "scenarios" / "demo.yaml", 1, START)
    world = replace(world, scenario=world.scenario.model_copy(update={"days": DAYS}))
    pems = make_keys(tmp_path_factory.mktemp("keys"))
    lines = b"".join(Run(world, pems, processes=1).envelopes()).splitlines()
    arriving = [
        Incoming(
            datetime.fromisoformat(told["received_at"]),
            told["endpoint"],
            base64.b64decode(told["body"]),
        )
        for told in map(json.loads, lines)
    ]
    return arriving, signer(pems).keys()


@pytest.fixture(scope="module")
def sqlite_demo(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the demo in it, to copy from."""
    path = tmp_path_factory.mktemp("demo") / "skan.sqlite3"
    fill(f"sqlite:///{path}", demo)
    return path


@pytest.fixture(scope="module")
def postgres_demo(demo: Demo, request: pytest.FixtureRequest) -> str:
    """The name of a PostgreSQL database with the demo in it, to copy from."""
    server = request.getfixturevalue("postgres_server")
    fill(server.create_database("skan_demo"), demo)
    return "skan_demo"


def fill(url: str, demo: Demo) -> None:
    arriving, keys = demo
    store = Store(url)
    migrate.upgrade(store)
    apps = [{"kind": "app", "value": str(app), "name": ""} for app in (APP, 1000000001)]
    store.write(lambda connection: connection.execute(insert(table(Registered)), apps))
    ingest = Ingest(store, SANDBOX, keys)
    for begin in range(0, len(arriving), 1_000):
        ingest(arriving[begin : begin + 1_000])
    while settle(store, SANDBOX, NOW):
        pass
    store.close()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A copy of the demo's store."""
    template = request.getfixturevalue(f"{request.param}_demo")
    if request.param == "sqlite":
        store = Store(f"sqlite:///{shutil.copy(template, tmp_path / 'skan.sqlite3')}")
        yield store
        store.close()
        return
    server = request.getfixturevalue("postgres_server")
    store = Store(server.create_database("skan_reconciled", template))
    yield store
    store.close()
    server.drop_database("skan_reconciled")


@pytest.fixture
def ours(store: Store) -> Rows:
    """Every postback as it is stored, with `counted`."""
    names = [column for column in POSTBACK.c if column.name not in ("body", "signed_message")]
    with store.read() as connection:
        found = connection.execute(
            select(*names, counts(SANDBOX).label("counted")).order_by(POSTBACK.c.id)
        )
        return [dict(row) for row in found.mappings()]


def is_install(row: Mapping[str, Any]) -> bool:
    return bool(
        row["counted"]
        and row["did_win"]
        and row["window"] == 0
        and row["conversion_type"] == "download"
    )


def arrived(row: Mapping[str, Any], zone: Any = UTC) -> date:
    day: date = row["received_at"].astimezone(zone).date()
    return day


def installed(row: Mapping[str, Any], zone: Any = UTC) -> date:
    at = row["received_at"] - usual_install(row["version"], row["window"])
    day: date = at.astimezone(zone).date()
    return day


def within(rows: Iterable[dict[str, Any]], day: Callable[[Any], date] = arrived) -> Rows:
    return [row for row in rows if FIRST <= day(row) <= LAST]


class Desk:
    """Where statements are written and imported, and asked about."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self.folder = store, folder

    def imports(self, rows: Iterable[Mapping[str, Any]], **asked: Any) -> None:
        path = self.folder / "theirs.csv"
        rows = list(rows)
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        given = {"name": "theirs", "first_day": FIRST, "last_day": LAST, **asked}
        import_statement(self.store, path, Asked(**given), NOW)

    def answers(self, *by: str, period: Period = SEPTEMBER, **filters: Any) -> Rows:
        question = Question(period=period, by=by, filters=Filters(**filters), statement="theirs")
        report = REPORTS["reconcile"]
        with self.store.read() as connection:
            return report.table(connection, report.asked(question))

    def steps(self, **asked: Any) -> dict[str, int]:
        """The steps that say something; they add up, also in each group."""
        by = ("day", "app_id", "ad_network_id")
        groups: dict[Any, list[int]] = {}
        total: Counter[str] = Counter()
        for row in self.answers(*by, **asked):
            groups.setdefault(tuple(row[name] for name in by), []).append(row["count"])
            total[row["step"]] += row["count"]
        assert all(sum(counts[:-1]) == counts[-1] for counts in groups.values())
        found = {row["step"]: row["count"] for row in self.answers(**asked)}
        assert (total["theirs"], total["ours"]) == (found["theirs"], found["ours"])
        return {step: count for step, count in found.items() if count}


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    return Desk(store, tmp_path)


def by_id(rows: Iterable[Mapping[str, Any]], day: Callable[[Any], date] = arrived) -> Rows:
    """A row-level statement, as a partner with other habits of writing ids would make it."""
    return [
        {
            "transaction_id": row["postback_id"].swapcase(),
            "day": day(row).isoformat(),
            "ad_network_id": row["ad_network_id"].upper(),
            "app_id": row["app_id"],
        }
        for row in rows
    ]


def by_number(rows: Iterable[Mapping[str, Any]], day: Callable[[Any], date] = arrived) -> Rows:
    """An aggregated one."""
    cells = Counter((day(row), row["app_id"], row["ad_network_id"].lower()) for row in rows)
    return [
        {"date": day, "app_id": app, "ad_network_id": network, "installs": n}
        for (day, app, network), n in sorted(cells.items())
    ]


def test_the_same_numbers_need_no_reason(desk: Desk, ours: Rows) -> None:
    """Neither by id nor by number; and ours is the number that other reports tell."""
    installs = within(filter(is_install, ours))
    for rows in (by_id(installs), by_number(installs)):
        desk.imports(rows)
        assert desk.steps() == {"theirs": len(installs), "ours": len(installs)}
    with desk.store.read() as connection:
        question = REPORTS["results"].asked(Question(period=SEPTEMBER))
        told = REPORTS["results"].table(connection, question)
    assert sum(row["installs"] for row in told) == len(installs) > 500


def test_each_planted_reason_is_found_by_id(desk: Desk, ours: Rows) -> None:
    """Redownloads, later windows, forged ones, dropped, invented and doubled rows: the right
    number of each, with ids to look up."""
    random = Random(7)
    installs = within(filter(is_install, ours))
    dropped = random.sample(installs, 25)
    kept = [row for row in installs if row["id"] not in {one["id"] for one in dropped}]
    won = [row for row in within(ours) if row["counted"] and row["did_win"]]
    redownloads = [r for r in won if r["window"] == 0 and r["conversion_type"] == "redownload"]
    later = [row for row in won if row["window"] > 0]
    installed_ids = {row["postback_id"].lower() for row in installs}
    forged = [
        row
        for row in within(ours)
        if row["verdict"] == "invalid" and row["postback_id"].lower() not in installed_ids
    ][:4]
    doubled = random.sample(kept, 6)
    invented = [{**kept[0], "postback_id": str(UUID(int=n))} for n in range(1, 12)]

    desk.imports(by_id([*kept, *redownloads, *later, *forged, *doubled, *invented]))

    total = len(kept) + len(redownloads) + len(later) + len(forged) + len(doubled) + 11
    assert desk.steps() == {
        "theirs": total,
        "duplicates": -6,
        "redownloads": -len(redownloads),
        "later_windows": -len(later),
        "invalid": -len(forged),
        "never_arrived": -11,
        "missing": 25,
        "ours": len(installs),
    }
    assert min(len(redownloads), len(later), len(forged)) >= 3
    examples = {row["step"]: [one["postback_id"] for one in row["examples"]]
                for row in desk.answers()}  # fmt: skip
    assert len(examples["missing"]) == 5
    assert set(examples["missing"]) <= {row["postback_id"] for row in dropped}
    assert set(examples["never_arrived"]) <= {row["postback_id"] for row in invented}


@pytest.mark.parametrize("statement", [by_id, by_number])
def test_a_shifted_time_zone_is_found(
    statement: Callable[..., Rows], desk: Desk, ours: Rows
) -> None:
    """What Berlin counts in its days and UTC does not, and the other way round."""
    installs = list(filter(is_install, ours))
    in_berlin = within(installs, lambda row: arrived(row, BERLIN))

    desk.imports(statement(in_berlin, lambda row: arrived(row, BERLIN)), zone="Europe/Berlin")

    both = {row["id"] for row in in_berlin}, {row["id"] for row in within(installs)}
    theirs_alone, ours_alone = len(both[0] - both[1]), len(both[1] - both[0])
    expected = {
        "theirs": len(in_berlin),
        "time_zone": ours_alone - theirs_alone,
        "ours": len(within(installs)),
    }
    assert desk.steps() == {name: n for name, n in expected.items() if n}
    assert ours_alone != theirs_alone
    # By day there is more of it than at the edges, and still nothing else.
    by_day = [row for row in desk.answers("day") if row["count"]]
    assert {row["step"] for row in by_day} == {"theirs", "time_zone", "ours"}
    # Asked for in their own time zone there is nothing to explain.
    berlin = Period(
        datetime(2026, 9, 7, 22, tzinfo=UTC), datetime(2026, 9, 20, 22, tzinfo=UTC), BERLIN
    )
    assert desk.steps(period=berlin) == {"theirs": len(in_berlin), "ours": len(in_berlin)}


@pytest.mark.parametrize("statement", [by_id, by_number])
def test_install_dates_are_found(statement: Callable[..., Rows], desk: Desk, ours: Rows) -> None:
    """Theirs begins days before ours, since they date back."""
    installs = list(filter(is_install, ours))
    dated_back = within(installs, installed)

    desk.imports(statement(dated_back, installed), basis="install")

    assert desk.steps() == {
        "theirs": len(dated_back),
        "date_basis": len(within(installs)) - len(dated_back),
        "ours": len(within(installs)),
    }


def test_planted_reasons_are_found_by_number(desk: Desk, ours: Rows) -> None:
    """Berlin's days, redownloads and later windows counted as installs, and 3 % lost on the way:
    the lost ones are the rest, since numbers do not say who is missing."""
    random = Random(11)
    won = [row for row in ours if row["counted"] and row["did_win"]]
    redownloads = [r for r in won if r["window"] == 0 and r["conversion_type"] == "redownload"]
    later = [row for row in won if row["window"] > 0]
    installs = list(filter(is_install, ours))
    theirs = [installs, redownloads, later]
    berlin = [within(rows, lambda row: arrived(row, BERLIN)) for rows in theirs]
    lost = len(berlin[0]) * 3 // 100
    random.shuffle(berlin[0])

    rows = [row for rows in [berlin[0][lost:], *berlin[1:]] for row in rows]
    desk.imports(by_number(rows, lambda row: arrived(row, BERLIN)), zone="Europe/Berlin")

    expected = {
        "theirs": len(rows),
        "redownloads": -len(berlin[1]),
        "later_windows": -len(berlin[2]),
        "time_zone": len(within(installs)) - len(berlin[0]),
        "unexplained": lost,
        "ours": len(within(installs)),
    }
    assert desk.steps() == {name: n for name, n in expected.items() if n}
    assert lost > 10


def test_their_own_words_tell_kinds_and_windows(desk: Desk, ours: Rows) -> None:
    """Columns for redownloads and windows need no guess."""
    installs = within(filter(is_install, ours))
    said = ((5, "redownload", 0), (7, "install", 1), (3, "lost", ""))
    rows = [
        {"day": FIRST, "network": "Meta", "count": n, "kind": kind, "window": window}
        for n, kind, window in said
    ]
    desk.imports(
        rows, app_id=APP, networks={"Meta": ("example456.skadnetwork", "example123.skadnetwork")}
    )

    mine = [row for row in installs if row["app_id"] == APP]
    assert desk.steps() == {
        "theirs": 15, "redownloads": -5, "later_windows": -7, "lost": -3,
        "unexplained": len(mine), "ours": len(mine),
    }  # fmt: skip


def test_what_was_never_forwarded_is_told_from_what_was(desk: Desk, ours: Rows) -> None:
    """By the ledger: settled deliveries to a destination of theirs, and to nobody else's."""
    installs = within(filter(is_install, ours))
    Random(3).shuffle(installs)
    unsent, lost, kept = installs[:40], installs[40:55], installs[55:]
    define(desk.store, "flyer", "appsflyer")
    define(desk.store, "other", "")
    send(desk.store, [*lost, *kept], "flyer", "done")
    send(desk.store, unsent[:10], "flyer", "dead")
    send(desk.store, unsent[10:], "other", "done")

    desk.imports(by_id(kept), format="generic", destinations=["flyer"])
    assert desk.steps() == {
        "theirs": len(kept), "never_forwarded": 40, "forwarded": 15, "ours": len(installs)
    }  # fmt: skip

    # By number the forty are found, and the fifteen are the rest.
    desk.imports(by_number(kept), destinations=["flyer"])
    assert desk.steps() == {
        "theirs": len(kept), "never_forwarded": 40, "unexplained": 15, "ours": len(installs)
    }  # fmt: skip

    # An export of AppsFlyer's is of those who get ours by its preset.
    flyer = [
        {
            "skad_transaction_id": row["postback_id"],
            "timestamp": row["received_at"].strftime("%Y-%m-%d %H:%M:%S.000"),
            "skad_ad_network_id": row["ad_network_id"],
            "app_id": f"id{row['app_id']}",
            "event_name": "af_skad_install",
        }
        for row in kept
    ]
    desk.imports(flyer)
    assert desk.steps()["never_forwarded"] == 40


def define(store: Store, name: str, preset: str) -> None:
    row = {
        "name": name, "kind": "relay", "definition": json.dumps({"preset": preset}),
        "revision": 1, "since": NOW, "created_at": NOW, "changed_at": NOW,
        "paused": False, "paused_because": "", "probes": 0,
    }  # fmt: skip
    store.write(lambda connection: connection.execute(insert(table(StoredDestination)), [row]))


def send(store: Store, rows: Rows, destination: str, state: str) -> None:
    deliveries = [
        {
            "identity": row["identity"], "stored_id": row["id"], "destination": destination,
            "state": state, "attempts": 1, "refusals": 0, "replays": 0,
            "next_at": NOW, "created_at": NOW,
        }
        for row in rows
    ]  # fmt: skip
    store.write(lambda connection: connection.execute(insert(DELIVERY), deliveries))


def test_networks_with_ids_and_networks_with_numbers_are_compared_each_in_its_way(
    desk: Desk, ours: Rows
) -> None:
    """As an MMP has them: row by row of most, sums of those that forward nothing. An id among sums
    is of no use."""
    installs = within(filter(is_install, ours))
    numbered = "example456.skadnetwork"
    with_ids = by_id(row for row in installs if row["ad_network_id"].lower() != numbered)
    rows = [{**with_ids[0], "ad_network_id": numbered, "app_id": APP}, *with_ids[5:]]
    sums = by_number(row for row in installs if row["ad_network_id"].lower() == numbered)
    rows = [{**row, "installs": 1} for row in rows] + [
        {
            "transaction_id": "", "day": row["date"], "ad_network_id": numbered,
            "app_id": row["app_id"], "installs": row["installs"],
        }
        for row in sums
    ]  # fmt: skip
    desk.imports(rows)

    total = len(installs)
    assert desk.steps() == {
        "theirs": total - 5 + 1, "missing": 5, "unexplained": -1, "ours": total
    }  # fmt: skip
    assert desk.steps(ad_network_id=numbered.upper())["unexplained"] == -1
    assert "missing" not in desk.steps(ad_network_id=numbered)
    assert desk.steps(ad_network_id="example123.skadnetwork", app_id=APP)["missing"] >= 1


def test_days_that_it_does_not_speak_of_are_nobodys_fault(desk: Desk, ours: Rows) -> None:
    """Of ids and of numbers alike."""
    installs = within(filter(is_install, ours))
    week = [row for row in installs if arrived(row) <= date(2026, 9, 14)]
    for rows in (by_id(week), by_number(week)):
        desk.imports(rows, first_day=None, last_day=None)
        assert desk.steps() == {
            "theirs": len(week), "outside": len(installs) - len(week), "ours": len(installs)
        }  # fmt: skip


def test_a_statement_without_networks_is_compared_by_app(desk: Desk, ours: Rows) -> None:
    """All networks together, and only the apps it names."""
    mine = [row for row in within(filter(is_install, ours)) if row["app_id"] == APP]
    days = Counter(map(arrived, mine))
    desk.imports([{"day": day, "installs": n} for day, n in days.items()], app_id=APP)

    assert desk.steps() == {"theirs": len(mine), "ours": len(mine)}
    with pytest.raises(Unanswerable, match="ad_network_id: this statement names no networks"):
        desk.answers(ad_network_id="example123.skadnetwork")


def test_what_cannot_be_asked_is_told_with_the_remedy(desk: Desk) -> None:
    """A statement that does not exist, and what a statement does not know."""
    with pytest.raises(Unanswerable, match="none named 'theirs'; import one: skan-receiver"):
        desk.answers()
    rows = [{"day": FIRST, "app_id": 1, "installs": 2}]
    desk.imports(rows, name="august")
    desk.imports(rows, name="july")
    with pytest.raises(Unanswerable, match="there is none named 'theirs'; there are: august, july"):
        desk.answers()
    desk.imports(rows)
    with pytest.raises(Unanswerable, match="window: a statement does not know it; leave it out"):
        desk.answers(window=0)
    with pytest.raises(Unanswerable, match="cannot be split by 'window'"):
        desk.answers("window")


def test_its_chart_hangs_each_step_where_the_last_one_ended(desk: Desk) -> None:
    """From theirs to ours."""
    desk.imports([{"day": FIRST, "app_id": 1, "installs": 2, "redownloads": 3}])

    chart = REPORTS["reconcile"].chart(desk.answers(), ())

    steps = [(one["x"], one["from"], one["to"]) for one in chart["data"]["values"]]
    assert steps == [
        ("theirs", 0, 5), ("redownloads", 5, 2), ("unexplained", 2, 0), ("ours", 0, 0)
    ]  # fmt: skip
