"""`schemas simulate | suggest`: users' events through schemas, before any user is."""

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any

import click

from skan_receiver.cli.output import as_json, dumps, show
from skan_receiver.conversion import load_schema
from skan_receiver.conversion.meaning import COARSE, FINE
from skan_receiver.errors import ConfigurationError

if TYPE_CHECKING:
    from skan_receiver.conversion.history import History
    from skan_receiver.conversion.judge import Filled

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
EVENTS = click.argument(
    "events", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path)
)
USERS = click.option(
    "--users",
    type=click.IntRange(min=1),
    help="How many users there are, with those who did nothing and are in no file.",
)


@click.command("simulate")
@EVENTS
@click.option("--schema", "files", type=FILE, multiple=True, required=True, help="Repeat it.")
@click.option(
    "--version",
    type=click.Choice(["1.0", "2.0", "2.1", "2.2", "3.0", "4.0", "adattributionkit"]),
    default="4.0",
    show_default=True,
    help="Up to 3.0, values can only rise and a timer of 24 hours ends the window.",
)
@USERS
@as_json
def simulate(
    events: tuple[Path, ...],
    files: tuple[Path, ...],
    *,
    version: str,
    users: int | None,
    as_json: bool,
) -> None:
    """Put the users of EVENTS through schemas: who would get which value, and what it tells.

    EVENTS are CSV or Parquet, or folders of them: user, event, hours (since the install),
    revenue, currency. A row without an event is an install. Errors are those of the best guess of
    a user's revenue in the window, given the value alone.
    """
    from skan_receiver.conversion.judge import simulate

    if len(files) > len(ascii_uppercase):
        raise click.UsageError("too many schemas to compare")
    schemas = [load_schema(file) for file in dict.fromkeys(files)]
    history = _read(events, users)
    with _bar("users", history.users * len(schemas)) as progress:
        found = simulate(history, schemas, version=version, progress=progress)
    if as_json:
        for one in found:
            click.echo(dumps(one.as_dict()))
        return
    _show(found)


def _show(found: "Sequence[Filled]") -> None:
    # Letters stand for the files, whose names would make wide columns.
    letters = dict(zip(dict.fromkeys(one.schema for one in found), ascii_uppercase, strict=False))
    rows = [{"": letters[one.schema], **_summary(one)} for one in found]
    show(rows, tuple(rows[0]), as_json=False)
    for place in dict.fromkeys((one.window, one.scale) for one in found):
        here = {letters[one.schema]: one for one in found if (one.window, one.scale) == place}
        click.echo(f"window {place[0]}, {place[1]} values: users, and their mean revenue")
        names = [f"{letter} {what}" for letter in here for what in ("users", "share", "mean")]
        show(_fills(here), ("value", *names), as_json=False)


def _summary(one: "Filled") -> dict[str, Any]:
    return {
        "schema": one.schema,
        "window": one.window,
        "scale": one.scale,
        "values used": one.used,
        "entropy": f"{one.entropy:.3f} bits",
        "absolute error": f"{one.absolute_error:.4f}",
        "squared error": f"{one.squared_error:.4f}",
        "explained": None if one.explained is None else f"{one.explained:.2%}",
    }


def _fills(here: "Mapping[str, Filled]") -> Iterator[dict[str, Any]]:
    fills = {letter: {fill.value: fill for fill in one.fills} for letter, one in here.items()}
    for value in (*FINE, *COARSE, None):
        if not any(value in by_value for by_value in fills.values()):
            continue
        row: dict[str, Any] = {"value": "none" if value is None else value}
        for letter, by_value in fills.items():
            fill = by_value.get(value)
            row[f"{letter} users"] = fill and fill.users
            row[f"{letter} share"] = fill and f"{fill.share:.2%}"
            row[f"{letter} mean"] = fill and f"{fill.mean:.2f}"
        yield row


@click.command("suggest")
@EVENTS
@click.option("--bits", type=click.IntRange(1, 6), default=6, show_default=True)
@click.option(
    "--event",
    "chosen",
    multiple=True,
    metavar="NAME[=iap|ad]",
    help="An event whose revenue counts, and as what (iap). Without: every event with revenue.",
)
@click.option(
    "--kind",
    type=click.Choice(["iap", "ad", "total"]),
    default="total",
    show_default=True,
    help="The revenue that values shall tell: one kind, or both together.",
)
@click.option("--currency", help="Of every amount, where the files name none.")
@click.option("--app", type=click.IntRange(min=1), default=1, help="The id in the App Store.")
@USERS
@as_json
def suggest(
    events: tuple[Path, ...],
    *,
    bits: int,
    chosen: tuple[str, ...],
    kind: str,
    currency: str | None,
    app: int,
    users: int | None,
    as_json: bool,
) -> None:
    """Print the schema whose 2^BITS values tell most of the users' revenue.

    What is printed is a schema file. Its comments compare it with buckets of equal width and with
    quantiles, and say how many users each value has. EVENTS are as for `simulate`.
    """
    from skan_receiver.conversion.suggest import as_yaml, suggest

    history = _read(events, users)
    kinds = _kinds(history, chosen, kind)
    money = _currency(history, currency)
    found = suggest(history, bits, kinds)
    text = as_yaml(found, app=app, currency=money, kind=kind, events=kinds)
    if not as_json:
        click.echo(text, nl=False)
        return
    for one in found:
        click.echo(dumps({**one.as_dict(), "currency": money, "kind": kind}))


def _kinds(history: "History", chosen: Sequence[str], kind: str) -> dict[str, str]:
    """The events that count, and what their revenue counts as."""
    earning = {history.events[place] for place in set(history.event[history.revenue != 0].tolist())}
    default = "ad" if kind == "ad" else "iap"
    kinds = {name: default for name in history.events if name in earning}
    if chosen:
        pairs = (
            each.rpartition("=") if each.endswith(("=iap", "=ad")) else (each, "", default)
            for each in chosen
        )
        kinds = {name: counts for name, _, counts in pairs}
    for name in kinds:
        if name not in history.events:
            raise click.BadParameter(f"the files have no event {name}", param_hint="--event")
    return {name: counts for name, counts in kinds.items() if kind in (counts, "total")}


def _currency(history: "History", given: str | None) -> str:
    named = {name for name in history.currencies if name} | ({given} if given else set())
    if len(named) > 1:
        raise ConfigurationError(
            f"amounts in {' and '.join(sorted(named))}: bring them into one currency first"
        )
    if not named:
        raise click.UsageError("the files name no currency: say it with --currency")
    if not re.fullmatch("[A-Z]{3}", money := named.pop()):
        raise ConfigurationError(f"{money[:40]!r} is no currency: write three capital letters")
    return money


def _read(paths: Sequence[Path], users: int | None) -> "History":
    from skan_receiver.conversion.history import read_history

    files = [file for path in paths for file in _files(path)]
    with _bar("reading", sum(file.stat().st_size for file in files)) as progress:
        return read_history(files, users=users, progress=progress)


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    if found := sorted(file for file in path.iterdir() if file.suffix in (".csv", ".parquet")):
        return found
    raise click.BadParameter(f"{path} has no .csv or .parquet file")


@contextmanager
def _bar(label: str, length: int) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, none in a pipe."""
    bar: Any = click.progressbar(
        length=length, label=label, file=sys.stderr, hidden=not sys.stderr.isatty()
    )
    with bar:
        yield bar.update


COMMANDS = (simulate, suggest)
