"""Expressions say the same on every engine, and the same as the reports made from counts."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import ibis
import pytest

from skan_receiver.config import Settings
from skan_receiver.errors import ConfigurationError
from skan_receiver.reports import REPORTS, Period, Question
from skan_receiver.reports.analytics import EXPRESSIONS, Analytics, connect, export
from skan_receiver.reports.analytics.postbacks import DIMENSIONS
from skan_receiver.storage import Store
from skan_receiver.storage.meanings import Arrived, Book
from skan_receiver.storage.schemas import history
from tests import postgres
from tests.receiving import Receiver
from tests.reports.analytics.engines import rows
from tests.reports.analytics.world import START, filled

YEAR = Period(START, START + timedelta(days=365))

World = tuple[Receiver, Analytics, Analytics]


@pytest.fixture(scope="module")
def world(
    postgres_server: postgres.Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """A store on PostgreSQL, and its export read by DuckDB."""
    url = postgres_server.create_database("skan_expressions", template="skan_template")
    store = Store(url.replace("postgresql:", "postgresql+psycopg:"))
    receiver = filled(store)
    folder = tmp_path_factory.mktemp("analytics")
    settings = Settings(database_url=url)
    export(store, folder, settings)
    duckdb = connect(export=folder, settings=settings)
    theirs = connect(url, settings=settings)
    yield receiver, duckdb, theirs
    theirs.close()
    duckdb.close()
    store.close()
    postgres_server.drop_database("skan_expressions")


@pytest.mark.postgres
@pytest.mark.parametrize("name", EXPRESSIONS)
def test_engines_agree(world: World, name: str) -> None:
    """The same rows in the same order from Parquet by DuckDB and from tables by PostgreSQL."""
    _, duckdb, theirs = world
    found = rows(duckdb, name)

    assert found
    assert found == rows(theirs, name)


@pytest.mark.postgres
@pytest.mark.parametrize("by", [(), *((name,) for name in DIMENSIONS), ("day", "source")])
def test_engines_agree_however_it_is_split(world: World, by: tuple[str, ...]) -> None:
    """Every dimension, and none."""
    _, duckdb, theirs = world
    assert rows(duckdb, "volumes", by=by) == rows(theirs, "volumes", by=by)
    assert rows(duckdb, "values", by=by) == rows(theirs, "values", by=by)


@pytest.mark.postgres
@pytest.mark.parametrize("by", [(), ("hour",), ("month", "ad_network_id"), ("version", "source")])
def test_engines_agree_on_meanings_however_they_are_split(
    world: World, by: tuple[str, ...]
) -> None:
    """Meanings are joined by hour, app and window, whether or not one asks for those."""
    _, duckdb, theirs = world
    assert rows(duckdb, "revenue", by=by) == rows(theirs, "revenue", by=by)


@pytest.mark.postgres
def test_volumes_are_those_of_the_report(world: World) -> None:
    """Rows and counts of one store agree."""
    receiver, duckdb, _ = world
    with receiver.store.read() as connection:
        question = Question(period=YEAR, by=("day", "verdict"))
        said = REPORTS["volumes"].table(connection, question)

    assert rows(duckdb, "volumes") == [tuple(row.values()) for row in said]


@pytest.mark.postgres
def test_meanings_are_those_of_the_book(world: World) -> None:
    """Versions, their weights while they change, and values that lock: as one by one."""
    receiver, duckdb, _ = world
    times: defaultdict[tuple[int, str], list[float]] = defaultdict(lambda: [0.0, 0.0])
    with receiver.store.read() as connection:
        book = Book(history(connection))
        for cell in receiver.counts():
            if not cell.counted or not cell.did_win or cell.version == "1.0":
                continue
            for reading in book.read(Arrived.of_cell(cell)):
                for event in reading.decoded.meaning.events if reading.decoded.meaning else ():
                    sums = times[cell.app_id, event.name]
                    sums[0] += cell.n * reading.weight
                    sums[1] += cell.n * reading.weight * event.min
    expected = [(*key, round(n, 5), round(least, 5)) for key, (n, least) in sorted(times.items())]

    assert [row[:4] for row in rows(duckdb, "events")] == expected
    assert duckdb.meanings.closing  # or nothing was narrowed


@pytest.mark.postgres
def test_a_period_and_an_app_are_kept_to(world: World) -> None:
    """What arrived in between, of that app."""
    _, duckdb, theirs = world
    chosen = {
        "since": datetime(2026, 4, 1, tzinfo=UTC),
        "until": datetime(2026, 4, 3, 12, tzinfo=UTC),
        "app": 42,
        "network": "EXAMPLE123.skadnetwork",
        "by": ("day",),
    }
    found = rows(duckdb, "volumes", **chosen)

    assert {str(row[0]) for row in found} <= {"2026-04-01", "2026-04-02", "2026-04-03"}
    assert found
    assert found == rows(theirs, "volumes", **chosen)


# Spark is not among them: where there are windows, Ibis asks a session for its settings, and
# `make test-spark` has one.
COMPILED = ("clickhouse", "bigquery", "snowflake", "trino")


@pytest.mark.postgres
@pytest.mark.parametrize("dialect", COMPILED)
@pytest.mark.parametrize("name", EXPRESSIONS)
def test_the_rest_compiles(world: World, name: str, dialect: str) -> None:
    """SQL for engines that no test can reach. It is no proof that it runs."""
    _, duckdb, _ = world
    made = ibis.table(duckdb.postbacks.schema(), name="postbacks")
    elsewhere = Analytics(duckdb.engine, made, duckdb.versions)
    assert "postbacks" in ibis.to_sql(elsewhere.expression(name), dialect=dialect)


def test_wrong_questions_name_the_right_ones(tmp_path: Path, sqlite_url: str) -> None:
    """What is missing, and how to have it."""
    settings = Settings(database_url=sqlite_url)
    with pytest.raises(ConfigurationError, match="run: skan-receiver export"):
        connect(export=tmp_path / "none", settings=settings)
    store = Store(sqlite_url)
    filled(store, 3)
    export(store, tmp_path / "out", settings)
    engine = connect(export=tmp_path / "out", settings=settings)
    with pytest.raises(ConfigurationError, match="'volume' is none of: volumes"):
        engine.expression("volume")
    with pytest.raises(ConfigurationError, match="by: 'days' is none of: month"):
        engine.expression("volumes", by=("days",))
    if find_spec("pyspark") is None:  # only the set-up of `make test-spark` has it
        with pytest.raises(ConfigurationError, match=r"skan-receiver\[spark\]"):
            connect("pyspark://", settings=settings)
    assert list(engine.frame("volumes", by=()).postbacks) == [4]
    engine.close()
    store.close()
