"""`events erase`: take a person out of everything that is stored."""

import sys
from collections.abc import Iterator
from typing import Any

import click

from skan_receiver.cli.context import open_store
from skan_receiver.cli.output import as_json, dumps
from skan_receiver.mmp.personal import masked
from skan_receiver.storage.erasure import Erased, erase
from skan_receiver.storage.persons import ASKED, Asked, Named, Person, find
from skan_receiver.web.words import printable

WHAT = {
    "device_id": "Whatever kind it is of: IDFA, IDFV, GAID, Android id, an MMP's name for it.",
    "customer_user_id": "The app's own name for its user.",
    "click_id": "The ad network's name for a click, or ours.",
}


def _options(command: Any) -> Any:
    for name in reversed(ASKED):
        option = f"--{name.replace('_', '-')}"
        command = click.option(option, name, metavar="ID", help=WHAT.get(name))(command)
    return command


@click.command("erase")
@_options
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json
def erase_(*, yes: bool, as_json: bool, **said: str | None) -> None:
    """Take a person out of events, touches, deliveries, tries, the quarantine and claims.

    Say one identifier; `-` reads it from standard input, so that no shell remembers it. What is
    known together with it is followed once. What is told again of the time before is dropped from
    now on: docs/events.md. Done twice it does no harm; after a failure do it again.
    """
    asked = _asked(said)
    settings, store = open_store()
    with store.read() as connection:
        person = find(connection, asked)
    if not as_json:
        click.echo("\n".join(_prose(person)))
    if not yes:
        click.confirm("Erase?", abort=True, err=True)
    erased = erase(store, settings, asked)
    click.echo(dumps(_plain(erased)) if as_json else _said(erased))
    if not erased.is_scrubbed:
        raise click.ClickException("somebody reads the database all the while, so its log still "
                                   "holds what was deleted: do it again, or restart")  # fmt: skip


def _asked(said: dict[str, str | None]) -> Asked:
    given = {name: value for name, value in said.items() if value is not None}
    if len(given) != 1:
        raise click.UsageError("say one identifier, as in --device-id 9B1C6E1A-…")
    ((name, value),) = given.items()
    if value == "-":
        value = sys.stdin.readline()
    if not (value := value.strip()):
        raise click.UsageError(f"--{name.replace('_', '-')}: is empty")
    return Asked(name, value)


def _prose(person: Person) -> Iterator[str]:
    yield (
        f"{len(person.direct)} events have it, and {len(person.touches)} touches are of them"
        f"; {len(person.further)} events more have what is known with it"
    )
    for name, value in person.followed:
        yield printable(f"    followed once: {name} {masked(value)}")
    for name, value in person.shared:
        yield printable(f"    not followed, many devices share it: {name} {masked(value)}")


def _said(erased: Erased) -> str:
    rows = ", ".join(f"{n} {name}" for name, n in sorted((+erased.rows).items()))
    return f"erased: {rows or 'nothing was stored'}; what is told again of before is dropped"


def _plain(erased: Erased) -> dict[str, Any]:
    return {
        "erased": dict(+erased.rows),
        "followed": _masked(erased.person.followed),
        "shared": _masked(erased.person.shared),
        "scrubbed": erased.is_scrubbed,
    }


def _masked(named: tuple[Named, ...]) -> list[dict[str, str]]:
    return [{"name": name, "value": masked(value)} for name, value in named]
