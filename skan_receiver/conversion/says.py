"""From boxes to meanings."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from skan_receiver.conversion.boxes import Box, Dimension, Remainder, hull
from skan_receiver.conversion.cells import Cell
from skan_receiver.conversion.meaning import COARSE, FINE, EventCount, Meaning, Revenue, Value
from skan_receiver.conversion.ranges import ANY, NEVER
from skan_receiver.conversion.schema import Scale

Group = Sequence[tuple[Cell, Remainder]]  # cells of one value, with their regions


@dataclass(frozen=True, slots=True)
class Says:
    """What the boxes of one window say."""

    window: int
    currency: str
    since_install: bool

    def by_value(self, scale: Scale | None) -> dict[Value, Meaning]:
        if scale is None:
            return {}
        groups: dict[Value, list[tuple[Cell, Remainder]]] = {}
        for cell, region in zip(scale.cells, scale.regions, strict=True):
            groups.setdefault(cell.value, []).append((cell, region))
        order = (value for value in (*FINE, *COARSE) if value in groups)
        return {value: self.meaning(value, groups[value]) for value in order}

    def by_coarse(
        self, fine: Scale | None, goes_with: Mapping[Value, Value]
    ) -> dict[Value, Meaning]:
        """A coarse value that stands for fine ones says what they have in common."""
        if fine is None:
            return {}
        cells = list(zip(fine.cells, fine.regions, strict=True))
        groups = {name: [c for c in cells if goes_with.get(c[0].value) == name] for name in COARSE}
        return {name: self.meaning(name, group) for name, group in groups.items() if group}

    def meaning(self, value: Value, group: Group) -> Meaning:
        boxes = [box for _, region in group for box in region.boxes]
        # A value nobody can get says what its rule says: a postback with it must still be read.
        box = hull(boxes or [cell.box for cell, _ in group])
        labels = {cell.label: None for cell, _ in group if cell.label}
        tails = {cell.tail for cell, _ in group}
        tail = tails.pop() if len(tails) == 1 else None
        return self.of_box(box, value, " / ".join(labels), tail)

    def of_box(self, box: Box, value: Value, label: str = "", tail: float | None = None) -> Meaning:
        return Meaning(
            window=self.window,
            value=value,
            label=label,
            events=tuple(self._events(box)),
            revenue=tuple(self._revenue(box, tail)),
            time=next((range_ for dim, range_ in box.items() if dim.kind == "time"), None),
            flags=tuple((d.name, range_.min == 1) for d, range_ in box.items() if d.kind == "flag"),
            since_install=self.since_install,
        )

    def _revenue(self, box: Box, tail: float | None) -> Iterable[Revenue]:
        for dimension, range_ in box.items():
            if dimension.kind == "revenue":
                stated = tail if range_.max is None else None
                yield Revenue(dimension.name, self.currency, range_, stated)

    def _events(self, box: Box) -> Iterable[EventCount]:
        """What happened first, then what did not."""
        names = dict.fromkeys(dim.name for dim in box if dim.kind in ("event", "event revenue"))
        for name in sorted(names, key=lambda name: box.get(Dimension("event", name)) == NEVER):
            count = box.get(Dimension("event", name), ANY)
            most = None if count.max is None else int(count.max) - 1
            worth = box.get(Dimension("event revenue", name))
            revenue = None if worth is None else Revenue("event", self.currency, worth)
            yield EventCount(name, int(count.min), most, revenue)
