"""`demo`: the service in a sandbox, with two simulated months in it."""

import os
import shutil
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import click

from skan_receiver.cli.demo_books import fill_books
from skan_receiver.cli.demo_destinations import fill_destinations
from skan_receiver.cli.output import show
from skan_receiver.cli.simulated import keys_folder, to_database
from skan_receiver.config import Settings, load
from skan_receiver.conversion import Schema
from skan_receiver.estimating import Wanted, estimate_all, missing, turn
from skan_receiver.reports import REPORTS, Period, Question
from skan_receiver.settle import BATCH, settle
from skan_receiver.simulator.keys import PUBLIC, make_keys
from skan_receiver.simulator.run import Run
from skan_receiver.simulator.scenario import Scenario
from skan_receiver.simulator.world import World, load_world
from skan_receiver.storage import Registered, Store, migrate
from skan_receiver.storage.columns import table
from skan_receiver.storage.schemas import Publication, publish
from skan_receiver.storage.upsert import insert_new

SCENARIO = Path("scenarios/demo.yaml")
SEED = 1
MOST_PORTS = 100
AT_HOME = ("127.0.0.1", "localhost")


@click.command()
@click.option(
    "--scenario",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=SCENARIO,
    show_default=True,
)
@click.option("--no-serve", is_flag=True, help="Stop after the summary.")
def demo(scenario: Path, *, no_serve: bool) -> None:
    """Serve a sandbox with a simulated history that ends today. Ctrl-C ends it.

    Everything is under SKAN_VAR/demo, and made anew each time; nothing else is touched.
    """
    settings = load()
    now = datetime.now(UTC)
    world = load_world(scenario, SEED)
    start = now.date() - timedelta(days=world.scenario.days)
    world = load_world(scenario, SEED, start)
    environment = _sandbox(settings, world.scenario, scenario.parent)
    os.environ.update(environment)  # for this process, and for those that serve
    os.environ.pop("SKAN_KEYS", None)
    sandbox = load()
    begun = monotonic()
    until = int(now.timestamp() * 1000)
    run = Run(world, make_keys(keys_folder(sandbox)), until=until)
    store = Store(sandbox.database)
    _fill(store, sandbox, run, now)
    _summary(store, run, monotonic() - begun)
    store.close()
    if not no_serve:
        click.echo("The sandbox serves these; Ctrl-C ends it.", err=True)
        os.execv(sys.executable, [sys.executable, "-m", "skan_receiver", "serve"])  # noqa: S606


def _sandbox(settings: Settings, scenario: Scenario, beside: Path) -> Mapping[str, str]:
    """An empty folder with the scenario's schemas, and the settings that keep to it."""
    folder = (settings.var / "demo").absolute()
    shutil.rmtree(folder, ignore_errors=True)
    schemas = folder / "conversion_schemas"
    schemas.mkdir(parents=True)
    for app in scenario.apps:
        shutil.copy(beside / app.schemas[-1].file, schemas / f"{app.id}.yaml")
    port = _free_port(settings)
    reached = settings.public_url or f"http://{settings.host}:{port}"
    return {
        "SKAN_VAR": str(folder),
        "SKAN_EXPORTS": str(folder / "exports"),
        "SKAN_SCHEMAS": str(schemas),
        "SKAN_TEST_KEYS": str(folder / "simulator" / PUBLIC),
        "SKAN_SANDBOX": "1",
        "DATABASE_URL": f"sqlite:///{folder / 'skan.sqlite3'}",
        "PORT": str(port),
        # Who listens on every address says nothing of the one by which it is reached.
        "SKAN_PUBLIC_URL": reached if settings.host in AT_HOME else settings.public_url,
    }


def _free_port(settings: Settings) -> int:
    """The usual one, or the next that nobody has."""
    for port in range(settings.port, settings.port + MOST_PORTS):
        with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind((settings.host, port))
                return port
    return settings.port


def _fill(store: Store, settings: Settings, run: Run, now: datetime) -> None:
    migrate.upgrade(store)
    apps = [
        {"kind": "app", "value": str(app.id), "name": schemas[-1][1].name}
        for app, schemas in ((app, run.world.schemas[app.id]) for app in run.world.scenario.apps)
    ]
    store.write(lambda connection: insert_new(connection, table(Registered), apps))
    store.close()  # importing forks
    outcomes = to_database(run, settings)
    click.echo(f"{run.world.scenario.name}: {_words(outcomes)}")
    _publish(store, run.world, now)
    while settle(store, settings, now) == BATCH:
        pass
    fill_books(store, run.world.scenario, settings.var, now)
    fill_destinations(store, settings, now)
    _estimate(store, settings)


def _estimate(store: Store, settings: Settings) -> None:
    """What the worker would do a little later: so that reports are full at once."""
    if missing():  # the reports say so
        return
    with turn(store) as keep:
        for _ in estimate_all(store, Wanted.of(settings), keep):
            pass


def _publish(store: Store, world: World, now: datetime) -> None:
    """Every version of every schema, from when phones had it on."""
    for app in world.scenario.apps:
        first, *later = world.schemas[app.id]
        publish(store, Publication(_text(first[1]), source="demo"), now)
        for since, schema in later:
            change = Publication(
                _text(schema),
                effective_from=datetime(since.year, since.month, since.day, tzinfo=UTC),
                rollout_hours=round(app.fetch_lag_hours),
                source="demo",
            )
            publish(store, change, now, back_dated=True)


def _text(schema: Schema) -> str:
    return Path(schema.source).read_text()


def _words(outcomes: Mapping[str, int]) -> str:
    return ", ".join(f"{n:,} {name}" for name, n in outcomes.items())


def _summary(store: Store, run: Run, seconds: float) -> None:
    period = Period(datetime(2000, 1, 1, tzinfo=UTC), datetime.now(UTC) + timedelta(hours=1))
    names = ("framework", "version", "verdict")
    with store.read() as connection:
        rows = REPORTS["volumes"].table(connection, Question(period=period, by=names))
    show(rows, (*names, "postbacks", "counted", "installs"), as_json=False)
    show(_tiers(run), ("tier", "winning postbacks"), as_json=False)
    installs = sum(row["installs"] for row in rows)
    real = run.totals.conversions["download"]
    click.echo(
        f"{installs:,} installs are counted, of {real:,} there were: the last days' postbacks are "
        f"still to come. Ready after {seconds:.0f} s."
    )


def _tiers(run: Run) -> list[dict[str, Any]]:
    tiers: dict[str, int] = {}
    for (_, tier, won), n in sorted(run.totals.postbacks.items()):
        if won == "won":
            tiers[tier] = tiers.get(tier, 0) + n
    return [{"tier": tier, "winning postbacks": n} for tier, n in sorted(tiers.items())]
