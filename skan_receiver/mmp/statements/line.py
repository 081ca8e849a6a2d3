"""What one row of a statement says, whoever made it."""

from dataclasses import dataclass
from datetime import date
from typing import Final

# What a row is of, in the words of whoever made the statement.
INSTALL: Final = "install"
REDOWNLOAD: Final = "redownload"
REENGAGEMENT: Final = "re-engagement"
LOST: Final = "lost"  # another network won
INVALID: Final = "invalid"
KINDS = (INSTALL, REDOWNLOAD, REENGAGEMENT, LOST, INVALID)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """So many of a kind on a day; with an id it is one postback."""

    day: date  # by the statement's time zone and date basis
    app_id: int
    ad_network_id: str | None = None  # lower case; None in a statement that names no networks
    postback_id: str | None = None  # Apple's, lower case
    window: int | None = None
    kind: str = INSTALL
    count: int = 1
    revenue: float | None = None
    currency: str | None = None
