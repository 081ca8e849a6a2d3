"""From the order in which users install to the order in which postbacks arrive.

Weeks lie between; what is on its way waits in files, one for each day of arrival, so that
memory holds a day at a time.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from skan_receiver.simulator.arrivals import ARRIVAL
from skan_receiver.simulator.world import DAY_MS, Array


class Spool:
    """Rows on their way, in a folder that is the caller's to remove."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._days: set[int] = set()
        self.taken = 0

    def add(self, rows: Array) -> None:
        """Take rows in any order."""
        if not len(rows):
            return
        self.taken += len(rows)
        rows = rows[np.argsort(rows["at"], kind="stable")]
        days, begins = np.unique(rows["at"] // DAY_MS, return_index=True)
        for day, part in zip(days.tolist(), np.split(rows, begins[1:]), strict=True):
            self._days.add(day)
            with self._path(day).open("ab") as file:
                file.write(part.tobytes())

    def days(self) -> Iterator[Array]:
        """The rows of each day, in the order of their arrival."""
        for day in sorted(self._days):
            rows = np.fromfile(self._path(day), ARRIVAL)
            # Copies of one postback come together, the network's first.
            order = np.lexsort((rows["endpoint"], rows["id_low"], rows["at"]))
            yield rows[order]
            self._path(day).unlink()
        self._days.clear()

    def _path(self, day: int) -> Path:
        return self._folder / f"{day}.rows"
