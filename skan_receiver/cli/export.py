"""`export`: postbacks as files that notebooks and clusters read."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import click

from skan_receiver.cli.context import open_store
from skan_receiver.cli.output import writing
from skan_receiver.config import Settings, load
from skan_receiver.reports import Period, analytics
from skan_receiver.reports.analytics import Choice
from skan_receiver.storage import Store

EVER, NEVER = "1970-01-01", "8999-12-31"


@click.command()
@click.argument("where", metavar="[DIR]", type=click.Path(path_type=Path), required=False)
@click.option("--app", type=click.IntRange(min=0, max=2**63 - 1), help="One app.")
@click.option("--network", help="One ad network.")
@click.option("--from", "start", help="First day, or hour; UTC.")
@click.option("--to", "end", help="Last day, or the hour to stop before; UTC.")
@click.option("--names", type=click.Choice(["appsflyer", "adjust"]), help="Their columns.")
@click.option("--raw", is_flag=True, help="With the bytes Apple sent, and those it signed.")
@click.option("--format", "form", type=click.Choice(["parquet", "csv"]), default="parquet")
def export(
    where: Path | None,
    app: int | None,
    network: str | None,
    start: str | None,
    end: str | None,
    names: str | None,
    form: str,
    *,
    raw: bool,
) -> None:
    """Write postbacks to DIR as Parquet, a file for each month and app.

    Run it again, and it writes what is new or changed. DIR is SKAN_ANALYTICS_EXPORT where none is
    given. With --format csv, DIR is a file, or "-" for standard output.
    """
    if form == "csv" and raw:
        raise click.UsageError("a CSV file holds no bytes; use --raw with --format parquet")
    if form == "csv" and where is None:
        raise click.UsageError('name a file for --format csv, or "-" for standard output')
    since, until = chosen_period(start, end)
    choice = Choice(app=app, network=network, since=since, until=until, names=names, raw=raw)
    settings = load()
    _, store = open_store(settings)
    if form == "csv":
        assert where is not None
        return _csv(store, where, settings, choice)
    done = analytics.export(store, where or settings.analytics_export, settings, choice)
    click.echo(
        f"{done.rows} postbacks in {done.written} files written, "
        f"{done.removed} files removed, {done.kept} as they were"
    )
    return None


def chosen_period(start: str | None, end: str | None) -> tuple[datetime | None, datetime | None]:
    """From when to when, as people write it; None is: from the first, to the last."""
    try:
        period = Period.of(start or EVER, end or NEVER, datetime.now(UTC))
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    return (period.start if start else None), (period.end if end else None)


def _csv(store: Store, where: Path, settings: Settings, choice: Choice) -> None:
    if str(where) == "-":
        _write(store, sys.stdout.buffer, settings, choice)
        return
    with writing(where), analytics.replaced(where) as new, open(new, "wb") as file:
        written = _write(store, file, settings, choice)
    click.echo(f"{written} postbacks written to {where}")


def _write(store: Store, out: IO[bytes], settings: Settings, choice: Choice) -> int:
    written: int = analytics.write_csv(store, out, settings, choice)
    out.flush()
    return written
