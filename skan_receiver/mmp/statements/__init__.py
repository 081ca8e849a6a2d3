"""What others say was installed: exports of MMPs and networks, read into lines of one kind.

To add a format is one file and one line here.
"""

from types import MappingProxyType

from skan_receiver.mmp.statements.adjust import ADJUST
from skan_receiver.mmp.statements.appsflyer import APPSFLYER
from skan_receiver.mmp.statements.branch import BRANCH
from skan_receiver.mmp.statements.format import Format
from skan_receiver.mmp.statements.generic import GENERIC
from skan_receiver.mmp.statements.line import Line
from skan_receiver.mmp.statements.reader import Reader, Terms, recognised
from skan_receiver.mmp.statements.singular import SINGULAR

__all__ = ["FORMATS", "Format", "Line", "Reader", "Terms", "recognised"]

# The table of contents.
FORMATS: MappingProxyType[str, Format] = MappingProxyType(
    {
        "appsflyer": APPSFLYER,
        "adjust": ADJUST,
        "branch": BRANCH,
        "singular": SINGULAR,
        "generic": GENERIC,
    }
)
