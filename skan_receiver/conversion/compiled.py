"""From what the author wrote to what it means."""

import json
from collections.abc import Iterable, Mapping
from datetime import date
from hashlib import sha256
from typing import Any

from skan_receiver.conversion.boxes import Box, Dimension, hull, remainder
from skan_receiver.conversion.cells import Cell, Place
from skan_receiver.conversion.document import Document, WrittenLock, WrittenWindow
from skan_receiver.conversion.meaning import COARSE, FINE, EventCount, Meaning, Revenue, Value
from skan_receiver.conversion.models import Model
from skan_receiver.conversion.problems import Problems
from skan_receiver.conversion.ranges import ANY, NEVER
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
    """Identifies what a schema says: `data` as canonical JSON."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return sha256(text.encode()).hexdigest()


Windows = Mapping[Any, WrittenWindow]


def _plan(written: Windows, document: Document, problems: Problems) -> dict[int, Window]:
    return {i: _window(i, written[i], document, problems.under(i)) for i in sorted(written)}


def _window(index: int, written: WrittenWindow, document: Document, problems: Problems) -> Window:
    fine = _scale(written.fine, FINE, problems.under("fine"))
    coarse = _scale(written.coarse, COARSE, problems.under("coarse"))
    goes_with = _coarse_for_fine(fine, written)
    says = _Says(index, document.currency or "", written.counts == "since_install" and index > 0)
    meanings = says.by_value(fine) | (says.by_value(coarse) or says.by_coarse(fine, goes_with))
    return Window(index, fine, coarse, goes_with, _lock(written.lock), says.since_install, meanings)


def _lock(written: WrittenLock | None) -> Lock | None:
    return None if written is None else Lock(**written.model_dump())


def _scale(model: Model | None, values: tuple[Value, ...], problems: Problems) -> Scale | None:
    if model is None:
        return None
    cells = model.cells(Place(values, problems))
    regions = [_region(cell, cells[:index]) for index, cell in enumerate(cells)]
    exact = all(sure for _, sure in regions)
    return Scale(tuple(cells), tuple(tuple(boxes) for boxes, _ in regions), exact)


def _region(cell: Cell, before: Iterable[Cell]) -> tuple[list[Box], bool]:
    if cell.as_written:
        return [cell.box], True
    return remainder([cell.box], (other.box for other in before))


def _coarse_for_fine(fine: Scale | None, written: WrittenWindow) -> dict[Value, Value]:
    """The coarse value sent along with each fine one, as far as the author says."""
    if fine is None or written.coarse is not None:
        return {}
    written_out = written.coarse_for_fine or {}
    spans = {value: name for name, values in written_out.items() for value in values}
    pairs = ((cell.value, cell.coarse or spans.get(int(cell.value))) for cell in fine.cells)
    return {value: coarse for value, coarse in pairs if coarse is not None}


class _Says:
    """Turns regions of one window into meanings."""

    def __init__(self, window: int, currency: str, since_install: bool) -> None:  # noqa: FBT001
        self.window = window
        self.currency = currency
        self.since_install = since_install

    def by_value(self, scale: Scale | None) -> dict[Value, Meaning]:
        if scale is None:
            return {}
        groups: dict[Value, list[tuple[Cell, tuple[Box, ...]]]] = {}
        for cell, region in zip(scale.cells, scale.regions, strict=True):
            groups.setdefault(cell.value, []).append((cell, region))
        order = FINE if scale.cells and scale.cells[0].value in FINE else COARSE
        return {value: self._meaning(value, groups[value]) for value in order if value in groups}

    def by_coarse(
        self, fine: Scale | None, goes_with: Mapping[Value, Value]
    ) -> dict[Value, Meaning]:
        """A coarse value that stands for fine ones says what they have in common."""
        if fine is None:
            return {}
        together = list(zip(fine.cells, fine.regions, strict=True))
        groups = {
            name: [(cell, region) for cell, region in together if goes_with.get(cell.value) == name]
            for name in COARSE
        }
        return {name: self._meaning(name, group) for name, group in groups.items() if group}

    def _meaning(self, value: Value, group: list[tuple[Cell, tuple[Box, ...]]]) -> Meaning:
        boxes = [box for _, region in group for box in region]
        # A value nobody can get says what its rule says: a postback with it must still be read.
        box = hull(boxes or [cell.box for cell, _ in group])
        labels = {cell.label: None for cell, _ in group if cell.label}
        tails = {cell.tail for cell, _ in group}
        return Meaning(
            window=self.window,
            value=value,
            label=" / ".join(labels) if len(labels) <= 3 else "",
            events=tuple(_events(box)),
            revenue=tuple(self._revenue(box, tails.pop() if len(tails) == 1 else None)),
            time=next((range_ for dim, range_ in box.items() if dim.kind == "time"), None),
            flags=tuple((d.name, range_.min == 1) for d, range_ in box.items() if d.kind == "flag"),
            since_install=self.since_install,
        )

    def _revenue(self, box: Box, tail: float | None) -> Iterable[Revenue]:
        for dimension, range_ in box.items():
            if dimension.kind == "revenue":
                stated = tail if range_.max is None else None
                yield Revenue(dimension.name, self.currency, range_, stated)


def _events(box: Box) -> Iterable[EventCount]:
    """What happened first, then what did not."""
    names = dict.fromkeys(dim.name for dim in box if dim.kind in ("event", "event revenue"))
    for name in sorted(names, key=lambda name: box.get(Dimension("event", name), ANY) == NEVER):
        count = box.get(Dimension("event", name), ANY)
        most = None if count.max is None else int(count.max) - 1
        yield EventCount(name, int(count.min), most, box.get(Dimension("event revenue", name)))
