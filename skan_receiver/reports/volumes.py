"""How many postbacks came, and how many of them count."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, case

from skan_receiver.reports import cells, charts
from skan_receiver.reports.cells import CELL, Group, N
from skan_receiver.reports.question import Question
from skan_receiver.reports.report import Report, Rows

# DESIGN, "install": the winning download that the first window reports. SKAdNetwork 1.0 does
# not tell downloads from redownloads, so none of its postbacks is called an install.
_INSTALL = and_(
    CELL.c.counted,
    CELL.c.window == 0,
    CELL.c.did_win,
    CELL.c.conversion_type == "download",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume(Group):
    """How much there was of something."""

    postbacks: int  # whatever the verdict, collisions too
    counted: int
    installs: int


def rows(connection: Connection, question: Question) -> list[Volume]:
    """Volumes of a period; every postback is in the hour of its first arrival."""
    amounts = (
        cells.total(N, "postbacks"),
        cells.total(case((CELL.c.counted, N), else_=0), "counted"),
        cells.total(case((_INSTALL, N), else_=0), "installs"),
    )
    found = cells.sums(connection, question, amounts=amounts)
    return [Volume(**row) for row in found if row["postbacks"]]


def chart(rows: Rows, by: tuple[str, ...]) -> dict[str, Any]:
    """Postbacks over time."""
    return charts.bars(rows, by, "postbacks", "Postbacks")


VOLUMES = Report(
    title="Postbacks, by when they first arrived",
    dimensions=tuple(cells.DIMENSIONS),
    usually=("day", "verdict"),
    measures=("postbacks", "counted", "installs"),
    rows=rows,
    chart=chart,
    count="postbacks",
)
