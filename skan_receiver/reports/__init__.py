"""Numbers: named tables for a period, made from counts alone.

To add a report is one file and one line here.
"""

from types import MappingProxyType

from skan_receiver.reports.cells import Group
from skan_receiver.reports.events import EVENTS
from skan_receiver.reports.filters import Filters
from skan_receiver.reports.period import Period
from skan_receiver.reports.question import Question, Unanswerable, Written
from skan_receiver.reports.report import Report
from skan_receiver.reports.results import RESULTS
from skan_receiver.reports.values import VALUES
from skan_receiver.reports.volumes import VOLUMES

__all__ = [
    "REPORTS",
    "Filters",
    "Group",
    "Period",
    "Question",
    "Report",
    "Unanswerable",
    "Written",
]

# The table of contents.
REPORTS: MappingProxyType[str, Report] = MappingProxyType(
    {
        "volumes": VOLUMES,
        "values": VALUES,
        "events": EVENTS,
        "results": RESULTS,
    }
)
