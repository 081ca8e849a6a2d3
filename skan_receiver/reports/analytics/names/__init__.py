"""Alias views: our rows under the names of others.

To add one is one file and one line here.
"""

from types import MappingProxyType

from skan_receiver.reports.analytics.names.adjust import ADJUST
from skan_receiver.reports.analytics.names.appsflyer import APPSFLYER
from skan_receiver.reports.analytics.names.dialect import Dialect

__all__ = ["DIALECTS", "Dialect"]

# The table of contents.
DIALECTS: MappingProxyType[str, Dialect] = MappingProxyType(
    {
        "appsflyer": APPSFLYER,
        "adjust": ADJUST,
    }
)
