"""From what the author wrote to what it means."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from hashlib import sha256
from typing import Any

from skan_receiver.conversion.boxes import Remainder, remainder
from skan_receiver.conversion.cells import Cell, Place
from skan_receiver.conversion.document import Document, WrittenLock, WrittenWindow
from skan_receiver.conversion.meaning import COARSE, FINE, Value
from skan_receiver.conversion.mistakes import check_window
from skan_receiver.conversion.models import Model
from skan_receiver.conversion.problems import Problems
from skan_receiver.conversion.says import Says
from skan_receiver.conversion.schema import Lock, Scale, Schema, Window


def compiled(document: Document, data: Any, problems: Problems) -> Schema:
    """Compile `document`; what cannot be is left out and added to `problems`."""
    rates = ((date.fromisoformat(day), worth) for day, worth in document.rates.items())
    plans = {"install": _plan(document.windows, document, problems.under("windows"))}
    if (other := document.re_engagement) is not None:
        inside = problems.under("re-engagement", "windows")
        plans["re-engagement"] = _plan(other.windows, document, inside)
    return Schema(
        app_id=document.app,
        name=document.name,
        encoder=document.encoder,
        currency=document.currency,
        rates=tuple(sorted(rates, key=lambda rate: rate[0])),
        events={name: e.revenue if e else None for name, e in document.events.items()},
        flags=tuple(document.flags),
        activity_timer=document.activity_timer,
        plans=plans,
        hash=content_hash(data),
        source=problems.source.name,
    )


def content_hash(data: Any) -> str:
    """Identifies what a schema says: `data` as canonical JSON, where 5.0 is 5."""
    # Keys that are numbers cannot be sorted, so that all keys become text first.
    texts = json.loads(json.dumps(data, default=str), parse_float=_number)
    text = json.dumps(texts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(text.encode()).hexdigest()


def _number(text: str) -> float:
    number = float(text)
    return int(number) if number.is_integer() else number


Windows = Mapping[Any, WrittenWindow]


def _plan(written: Windows, document: Document, problems: Problems) -> dict[int, Window]:
    return {i: _window(i, written[i], document, problems.under(i)) for i in sorted(written)}


def _window(index: int, written: WrittenWindow, document: Document, problems: Problems) -> Window:
    fine = _scale(written.fine, FINE, problems.under("fine"))
    coarse = _scale(written.coarse, COARSE, problems.under("coarse"))
    goes_with = _coarse_for_fine(fine, written)
    says = Says(index, document.currency or "", written.counts == "since_install" and index > 0)
    meanings = says.by_value(fine) | (says.by_value(coarse) or says.by_coarse(fine, goes_with))
    lock = _lock(written.lock)
    window = Window(index, fine, coarse, goes_with, lock, says.since_install, meanings)
    check_window(written, window, problems)
    return window


def _lock(written: WrittenLock | None) -> Lock | None:
    return None if written is None else Lock(**written.model_dump())


def _scale(model: Model | None, values: tuple[Value, ...], problems: Problems) -> Scale | None:
    if model is None:
        return None
    cells = model.cells(Place(values, problems))
    return Scale(tuple(cells), tuple(_region(c, cells[:index]) for index, c in enumerate(cells)))


def _region(cell: Cell, before: Sequence[Cell]) -> Remainder:
    if cell.as_written:
        return Remainder((cell.box,), exact=True)
    return remainder(cell.box, [other.box for other in before])


def _coarse_for_fine(fine: Scale | None, written: WrittenWindow) -> dict[Value, Value]:
    """The coarse value sent along with each fine one, as far as the author says."""
    if fine is None or written.coarse is not None:
        return {}
    written_out = written.coarse_for_fine or {}
    spans = {value: name for name, values in written_out.items() for value in values}
    pairs = ((cell.value, cell.coarse or spans.get(int(cell.value))) for cell in fine.cells)
    return {value: coarse for value, coarse in pairs if coarse is not None}
