"""`report NAME`: numbers for a period."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from skan_receiver.cli.context import open_store
from skan_receiver.cli.output import writing
from skan_receiver.cli.rows import FORMATS, print_rows
from skan_receiver.protocol import Framework, Verdict
from skan_receiver.reports import REPORTS, Filters, Unanswerable, Written
from skan_receiver.reports.question import BASES
from skan_receiver.web.chart_page import chart_page

ALL_DIMENSIONS = sorted({name for report in REPORTS.values() for name in report.dimensions})


def _dimensions(_ctx: object, _parameter: object, written: tuple[str, ...]) -> tuple[str, ...]:
    names = tuple(name.strip().replace("-", "_") for text in written for name in text.split(","))
    for name in names:
        if name not in ALL_DIMENSIONS:
            raise click.BadParameter(f"{name!r} is none of: {', '.join(ALL_DIMENSIONS)}")
    return tuple(dict.fromkeys(names))


@click.command()
@click.argument("name", type=click.Choice(list(REPORTS)))
@click.option("--from", "start", help="First day, or hour. [default: 30 days ago]")
@click.option("--to", "end", help="Last day, or the hour to stop before. [default: now]")
@click.option("--tz", "zone", help="Whose days, as in Europe/Berlin. [default: UTC]")
@click.option(
    "--by", multiple=True, callback=_dimensions, help="Split by these, as in day,verdict."
)
@click.option("--basis", type=click.Choice(BASES), help="What a date is of: the arrival, or an "
              "estimate of the install.")  # fmt: skip
@click.option("--currency", help="Convert amounts into it, as in EUR, by the rates of their days.")
@click.option("--statement", help="Whose numbers to compare with.")
@click.option("--app", "app_id", type=click.IntRange(min=0, max=2**63 - 1), help="One app.")
@click.option("--network", "ad_network_id", help="One ad network.")
@click.option("--framework", type=click.Choice([f.value for f in Framework]))
@click.option("--version", help="One SKAdNetwork version.")
@click.option("--window", type=click.IntRange(0, 2))
@click.option("--verdict", type=click.Choice([v.value for v in Verdict]))
@click.option("--format", "form", type=click.Choice(FORMATS), default="table")
@click.option("--json", "as_json", is_flag=True, help="As --format json: NDJSON.")
@click.option("--chart", type=click.Path(dir_okay=False, writable=True, path_type=Path),
              help="Write a page with the chart to this file, instead of printing.")  # fmt: skip
def report(
    name: str,
    form: str,
    chart: Path | None,
    *,
    as_json: bool,
    **asked: Any,
) -> None:
    """Print the report NAME, by default of the last 30 days in UTC."""
    chosen = REPORTS[name]
    filters = Filters(**{field: asked.pop(field) for field in _FILTERS})
    try:
        question = chosen.asked(Written(filters=filters, **asked).read(datetime.now(UTC)))
        _, store = open_store()
        with store.read() as connection:
            rows = chosen.table(connection, question)
    except Unanswerable as error:
        raise click.UsageError(f"{name}: {error}") from None
    if chart:
        page = chart_page(chosen.title, chosen.chart(rows, question.by))
        with writing(chart):
            chart.write_text(page)
        click.echo(f"{chart}: open it in a browser")
        return
    columns = chosen.columns(question.by)
    print_rows(rows, columns, "json" if as_json else form, for_people=_in_words)


_FILTERS = ("app_id", "ad_network_id", "framework", "version", "window", "verdict")


def _in_words(row: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: _word(name, value) for name, value in row.items()}


def _word(name: str, value: object) -> object:
    """Shares and sums as people read them."""
    if isinstance(value, tuple):
        return "; ".join(" ".join(map(str, one.values())) for one in value) or None
    if not isinstance(value, float):
        return value
    return f"{value:.1%}" if name.endswith("share") else f"{value:.2f}"
