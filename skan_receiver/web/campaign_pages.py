"""Campaigns and costs in the browser: tables, and files of them in and out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask.wrappers import Response

from skan_receiver.errors import ConfigurationError
from skan_receiver.storage import audit, campaign_csv, campaigns, cost_csv, costs
from skan_receiver.storage import campaign_import as importing
from skan_receiver.storage import cost_cells as cells
from skan_receiver.web.access import actor, may, unlimited_only
from skan_receiver.web.page import page_blueprint
from skan_receiver.web.services import services

LARGEST = 16 * 1024 * 1024
SHOWN = 500

bp = page_blueprint("campaigns", __name__, largest=LARGEST)
bp.before_request(unlimited_only)


@dataclass(frozen=True, slots=True)
class Book:
    """A table that comes as CSV: how it is read, changed and written."""

    name: str
    title: str
    lead: str
    columns: Sequence[str]
    rows: Callable[[Any], Sequence[Any]]
    read: Callable[[bytes], Sequence[Any]]
    changes: Callable[..., Any]
    change: Callable[..., Any]
    write: Callable[[Any], str]
    terms: Sequence[tuple[str, str]] = ()  # what a file may leave unsaid

    def shown(self, row: Any, column: str) -> str:
        """A cell as a person reads it; what is not said is a dash."""
        said: Any = row.as_dict()[column] if hasattr(row, "as_dict") else getattr(row, column)
        return "–" if said in (None, "", 0) else str(said)


def _read_costs(content: bytes) -> Sequence[Any]:
    form = request.form
    terms = cost_csv.Terms(
        zone=cells.zone(form["zone"].strip()) if form.get("zone") else "",
        currency=cells.currency(form["currency"].strip()) if form.get("currency") else "",
        account=form.get("account", "").strip(),
    )
    return cost_csv.read_csv(content, terms)


BOOKS = {
    "campaigns": Book(
        "campaigns",
        "Campaigns",
        "What ad networks call the ads behind source identifiers and campaign ids, by days.",
        tuple(campaign_csv.COLUMNS),
        campaigns.entries,
        campaign_csv.read_csv,
        importing.changes,
        importing.import_campaigns,
        campaign_csv.write_csv,
    ),
    "costs": Book(
        "costs",
        "Costs",
        "What ads cost, by day, in the zone and currency of each account.",
        tuple(cost_csv.COLUMNS),
        lambda connection: costs.costs(connection, costs.Which()),
        _read_costs,
        costs.changes,
        costs.import_costs,
        cost_csv.write_csv,
        (
            ("zone", "Time zone of its days, where it does not say"),
            ("currency", "Currency, where it does not say"),
            ("account", "Account, where it does not say"),
        ),
    ),
}


@bp.get("/<any(campaigns, costs):book>")
def listing(book: str) -> ResponseReturnValue:
    """The table, and a form for a file."""
    return _page(BOOKS[book])


@bp.get("/<any(campaigns, costs):book>.csv")
def file(book: str) -> ResponseReturnValue:
    """All of it, as a file that can be imported again."""
    found = BOOKS[book]
    with services().store.read() as connection:
        content = found.write(found.rows(connection))
    disposition = {"Content-Disposition": f'attachment; filename="{book}.csv"'}
    return Response(content, content_type="text/csv; charset=utf-8", headers=disposition)


@bp.post("/<any(campaigns, costs):book>")
@may("editor")
def import_(book: str) -> ResponseReturnValue:
    """Say what a file would change; once that is confirmed, change it: all of it, or nothing."""
    of, store = BOOKS[book], services().store
    text = _text()
    replace = request.form.get("replace") == "yes"
    try:
        rows = of.read(text.encode())
        if request.form.get("do") != "import":
            with store.read() as connection:
                told = of.changes(connection, rows, replace=replace)
            return _page(of, text=text, counts=told.counts)
        with audit.doing(actor(), f"{book}.import", "", {"rows": len(rows), "replace": replace}):
            counts = of.change(store, rows, replace=replace).counts
    except (ConfigurationError, ValueError) as error:
        return _page(of, text=text, wrong=str(error).splitlines())
    flash(", ".join(f"{n} {what}" for what, n in counts.items()), "good")
    return redirect(url_for("campaigns.listing", book=book), 303)


def _text() -> str:
    """The file, or what was shown of it before."""
    uploaded = request.files.get("file")
    if uploaded is None or not uploaded.filename:
        return request.form.get("text", "").replace("\r\n", "\n")
    try:
        content: bytes = uploaded.read()
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return ""
    finally:
        uploaded.close()


def _page(
    book: Book,
    *,
    text: str = "",
    counts: dict[str, int] | None = None,
    wrong: Sequence[str] = (),
) -> ResponseReturnValue:
    with services().store.read() as connection:
        rows = book.rows(connection)
    page = render_template(
        "campaigns.html",
        book=book,
        rows=rows[:SHOWN],
        total=len(rows),
        text=text,
        counts=counts,
        wrong=wrong[:SHOWN],
        typed=request.form,
    )
    return page, 422 if wrong else 200
