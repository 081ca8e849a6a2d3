"""Numbers: named tables for a period, made from counts alone.

To add a report is one file and one line here.
"""

from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from skan_receiver.reports.cells import Group
from skan_receiver.reports.conflicts import CONFLICTS
from skan_receiver.reports.delays import DELAYS
from skan_receiver.reports.deliveries import DELIVERIES
from skan_receiver.reports.events import EVENTS
from skan_receiver.reports.filters import Filters
from skan_receiver.reports.installs import INSTALLS_REPORT
from skan_receiver.reports.invalid import INVALID
from skan_receiver.reports.overlap import OVERLAP
from skan_receiver.reports.period import Period
from skan_receiver.reports.question import Question, Unanswerable, Written
from skan_receiver.reports.reconcile import RECONCILE
from skan_receiver.reports.report import Report
from skan_receiver.reports.results import RESULTS
from skan_receiver.reports.revenue import REVENUE_REPORT
from skan_receiver.reports.roas import ROAS
from skan_receiver.reports.sources import SOURCES
from skan_receiver.reports.values import VALUES
from skan_receiver.reports.volumes import VOLUMES
from skan_receiver.reports.windows import WINDOWS

if TYPE_CHECKING:
    from skan_receiver.reports.frames import Reports

__all__ = [
    "REPORTS",
    "Filters",
    "Group",
    "Period",
    "Question",
    "Report",
    "Unanswerable",
    "Written",
    "open",
]

# The table of contents.
REPORTS: MappingProxyType[str, Report] = MappingProxyType(
    {
        "volumes": VOLUMES,
        "values": VALUES,
        "events": EVENTS,
        "results": RESULTS,
        "windows": WINDOWS,
        "roas": ROAS,
        "revenue": REVENUE_REPORT,
        "installs": INSTALLS_REPORT,
        "reconcile": RECONCILE,
        "overlap": OVERLAP,
        "sources": SOURCES,
        "conflicts": CONFLICTS,
        "invalid": INVALID,
        "delays": DELAYS,
        "deliveries": DELIVERIES,
    }
)


def open(where: "str | Path") -> "Reports":  # what one says in a notebook: reports.open(…)
    """The reports of a database, by its URL or SQLite's file, as frames and charts.

    Raises ConfigurationError where there is none, or one of another release.
    """
    from skan_receiver.reports.frames import reports_of  # pandas: nothing else here needs it

    return reports_of(where)
