"""`simulate run|send|truth|keys`: a pretend App Store, before a single ad runs."""

import shlex
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from skan_receiver.cli.output import as_json, dumps
from skan_receiver.cli.simulated import (
    bar,
    keys_folder,
    show_totals,
    to_database,
    to_file,
    to_url,
)
from skan_receiver.config import Settings, load
from skan_receiver.simulator.byhand import postback
from skan_receiver.simulator.keys import PUBLIC, make_keys, signer
from skan_receiver.simulator.run import Run
from skan_receiver.simulator.scenario import LAYOUTS
from skan_receiver.simulator.truth import prepare
from skan_receiver.simulator.world import load_world, moment_ms
from skan_receiver.testing import encode

SCENARIO = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)
DAY = click.DateTime(["%Y-%m-%d"])
DATABASES = ("sqlite:///", "postgres://", "postgresql://", "postgresql+psycopg://")
SPEED = """To a URL: simulated seconds a second. 1 is real time, 86400 a day each second, and 0 as
fast as it goes."""

of_seed = click.option("--seed", default=1, show_default=True, help="Another one, another world.")
by_processes = click.option(
    "--processes", type=click.IntRange(min=1), help="As many as cores, by default."
)


@click.group()
def simulate() -> None:
    """Play users, phones and Apple, with test keys.

    The keys are made on first use, under SKAN_VAR/simulator. Nobody believes them but who sets
    SKAN_TEST_KEYS to what `simulate keys` prints, and what they sign can only be `development`.
    """


@simulate.command()
@click.argument("scenario", type=SCENARIO)
@of_seed
@click.option("--to", required=True, help="An http(s) URL, a database (`db`: ours), or a file.")
@click.option("--speed", type=click.FloatRange(min=0), default=0, show_default=True, help=SPEED)
@click.option("--start", type=DAY, help="The first day, instead of the scenario's.")
@click.option("--until", type=DAY, help="Leave out what would arrive from this day on (UTC).")
@click.option("--path", default="/receive", show_default=True, help="The network's, at a URL.")
@click.option("--truth", type=FOLDER, help="Write the truth there too, as Parquet.")
@by_processes
@as_json
def run(
    scenario: Path,
    seed: int,
    to: str,
    speed: float,
    start: datetime | None,
    until: datetime | None,
    path: str,
    truth: Path | None,
    processes: int | None,
    *,
    as_json: bool,
) -> None:
    """Run SCENARIO, from its first install to its last postback.

    A file (`-`: standard output) and a database get postbacks with the times they would have come
    at; a URL gets them now, in that order. The same scenario, seed and keys give the same file.
    """
    settings = load()
    one = _run(settings, scenario, seed, start, truth, processes)
    one.until = moment_ms(until) if until else None
    if to.startswith(("http://", "https://")):
        sender = to_url(one, to, path, speed)
        answers = {str(status or "none"): n for status, n in sorted(sender.statuses.items())}
        click.echo(dumps({"answers": answers, "lost": sender.lost}))
        raise SystemExit(1 if sender.lost else 0)
    if to == "db" or to.startswith(DATABASES):
        there = settings if to == "db" else load(database_url=to)
        click.echo(dumps(to_database(one, there, processes or 0)))
        return
    to_file(one, to)
    if to != "-":
        show_totals(one.totals, as_json=as_json)


@simulate.command()
@click.argument("scenario", type=SCENARIO)
@of_seed
@click.option("--start", type=DAY, help="The first day, instead of the scenario's.")
@click.option("--to", "folder", type=FOLDER, required=True, help="A folder for Parquet.")
@by_processes
@as_json
def truth(
    scenario: Path,
    seed: int,
    start: datetime | None,
    folder: Path,
    processes: int | None,
    *,
    as_json: bool,
) -> None:
    """Write what is true in SCENARIO: installs, events, values, and postbacks with their tiers.

    It follows from the scenario and the seed, so it fits a run whenever that was.
    """
    one = _run(load(), scenario, seed, start, folder, processes)
    with bar(one):
        one.only_truth()
    show_totals(one.totals, as_json=as_json)


@simulate.command()
@click.option("--version", type=click.Choice(LAYOUTS), default="4.0", show_default=True)
@click.option("--app", type=click.IntRange(min=0), default=525463029, show_default=True)
@click.option("--network", default="example123.skadnetwork", show_default=True)
@click.option("--source", help="Source identifier, or campaign id before 4.0.")
@click.option("--fine", type=click.IntRange(0, 63))
@click.option("--coarse", type=click.Choice(["low", "medium", "high"]))
@click.option("--window", type=click.IntRange(0, 2), default=0, show_default=True)
@click.option("--lost", is_flag=True, help="A nonwinning one.")
@click.option("--to", help="Send it to this URL; by default it is only printed.")
def send(to: str | None, **said: Any) -> None:
    """Make one postback by hand, and print it as a curl command.

    With --to the exit status is 1 unless the answer is 200.
    """
    settings = load()
    body = encode(postback(signer(make_keys(keys_folder(settings))), **said))
    url = to or f"http://{settings.host}:{settings.port}/receive"
    click.echo(f"curl -i {shlex.quote(url)} -d {shlex.quote(body.decode())}")
    if to is not None:
        raise SystemExit(0 if _post(url, body) == 200 else 1)


@simulate.command()
def keys() -> None:
    """Print what to set SKAN_TEST_KEYS to; make the keys if there are none yet."""
    folder = keys_folder(load())
    make_keys(folder)
    click.echo(folder / PUBLIC)


def _run(
    settings: Settings,
    scenario: Path,
    seed: int,
    start: datetime | None,
    truth: Path | None,
    processes: int | None,
) -> Run:
    if truth is not None:
        prepare(truth)
    world = load_world(scenario, seed, start.date() if start else None)
    return Run(world, make_keys(keys_folder(settings)), truth, processes=processes or 0)


def _post(url: str, body: bytes) -> int:
    import urllib3

    try:
        status = urllib3.request("POST", url, body=body, redirect=False, retries=False).status
    except urllib3.exceptions.HTTPError as error:
        raise click.ClickException(f"{url}: no answer: {error}") from None
    click.echo(f"HTTP {status}", err=True)
    return status
