"""Counts without postbacks: what stands there after so many of each had been settled."""

from collections.abc import Iterable, Mapping
from typing import Any

from skan_receiver.storage import Store
from skan_receiver.storage.counting import SIGNED, SOURCE, UNSIGNED, Tally

# Where nothing is said of where the ad was and where the user is.
NOWHERE: dict[str, Any] = {
    "source_identifier": "",
    "source_app_id": -1,
    "source_domain": "",
    "country": None,
}


def write_counts(store: Store, cells: Iterable[Mapping[str, Any]]) -> None:
    """`n` of each cell at its `hour`, in every grain."""
    tally = Tally()
    for cell in cells:
        said = {**NOWHERE, **cell}
        hour = f"{said['hour']:%Y-%m-%d %H}"
        row: Any = (*(said[name] for name in SIGNED), hour, *(said[name] for name in SOURCE))
        tally.add(row, tuple(said[name] for name in UNSIGNED), said["n"])
    store.write(tally.write)
