"""`events import`: what an MMP would have told, from its exports."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TypeVar

import click
from sqlalchemy import Connection

from skan_receiver import events, ingest
from skan_receiver.cli.context import load_keys, open_store
from skan_receiver.cli.output import as_json, show
from skan_receiver.config import Settings
from skan_receiver.events import IMPORTED, Told
from skan_receiver.ingest import Incoming, Ingest, Result
from skan_receiver.mmp.providers import PROVIDERS
from skan_receiver.mmp.providers.apple import claims_of
from skan_receiver.mmp.providers.request import Taken, rows_of, take
from skan_receiver.storage import Store

BATCH = 500
SHOWN_FAULTS = 20

T = TypeVar("T")


@click.command("import")
@click.argument("provider", type=click.Choice(list(PROVIDERS)))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--app", "app_id", type=click.IntRange(min=1), help="App Store id of what names no app."
)
@as_json
def import_(provider: str, file: Path, app_id: int | None, *, as_json: bool) -> None:
    """Import events of PROVIDER from FILE: CSV with the names it pushes, or JSON.

    What is there already is a copy, so a file may be imported twice. Rows of Apple's postbacks
    (skad_…, sk_…) are verified as those that are posted. Exit status 1 where one cannot be read.
    """
    settings, store = open_store()
    reader = Ingest(store, settings, load_keys(settings))
    now = datetime.now(UTC)
    outcomes: Counter[str] = Counter()
    for place, some in enumerate(_batches(rows_of(file.read_bytes()), BATCH)):
        read = [
            take(PROVIDERS[provider], (), body, app_id=app_id, store_ip=settings.store_ip)
            for body in some
        ]
        _say(read, place * BATCH, already=outcomes["unreadable"])
        outcomes["unreadable"] += sum(len(one.unread) for one in read)
        outcomes.update(_keep(store, settings, reader, read, now))
    show(
        [{"outcome": name, "events": n} for name, n in sorted((+outcomes).items())],
        ("outcome", "events"),
        as_json=as_json,
    )
    raise SystemExit(1 if outcomes["unreadable"] else 0)


def _keep(
    store: Store, settings: Settings, reader: Ingest, read: Sequence[Taken], now: datetime
) -> Iterator[str]:
    """Write what was read, in one transaction; what became of each."""
    told = [Told(now, IMPORTED, event) for one in read for event in one.events]
    rows = [
        reader.read(Incoming(now, IMPORTED, row.body, row.verbatim, claims_of(row)))
        for one in read
        for row in one.apples
    ]
    postbacks = [row for row in rows if not isinstance(row, Result)]
    yield from (row.outcome.value for row in rows if isinstance(row, Result))

    def work(connection: Connection) -> list[Result]:
        kept = events.write(connection, settings=settings, batch=told)
        return [*kept, *ingest.write(connection, settings=settings, batch=postbacks)]

    yield from (result.outcome.value for result in store.write(work))


def _batches(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    rows = iter(rows)
    while some := list(islice(rows, size)):
        yield some


def _say(read: Iterable[Taken], before: int, *, already: int) -> None:
    """What is wrong with which, for the first few."""
    for place, one in enumerate(read, start=before + 1):
        for unread in one.unread:
            already += 1
            if already <= SHOWN_FAULTS:
                click.echo(f"{place}: {unread.fault}", err=True)
