"""The reasons, each with the sentence that a row of the report says."""

from collections.abc import Container
from enum import StrEnum
from typing import Any


class Reason(StrEnum):
    """Why something is on one side only, in the order the report tells them."""

    DUPLICATES = "duplicates"
    REDOWNLOADS = "redownloads"
    REENGAGEMENTS = "reengagements"
    LATER_WINDOWS = "later_windows"
    LOST = "lost"
    UNTYPED = "untyped"
    INVALID = "invalid"
    TEST = "test"
    NOT_COUNTED = "not_counted"
    NULLS = "nulls"
    NEVER_ARRIVED = "never_arrived"
    NEVER_FORWARDED = "never_forwarded"
    FORWARDED = "forwarded"
    MISSING = "missing"
    ELSEWHERE = "elsewhere"
    DATE_BASIS = "date_basis"
    TIME_ZONE = "time_zone"
    OTHER_DATES = "other_dates"
    OUTSIDE = "outside"
    UNEXPLAINED = "unexplained"


THEIRS, OURS = "theirs", "ours"

WORDS = {
    THEIRS: "What the statement adds up to",
    Reason.DUPLICATES: "Counted by them more than once",
    Reason.REDOWNLOADS: "Redownloads, which we tell apart",
    Reason.REENGAGEMENTS: "Re-engagements, which we tell apart",
    Reason.LATER_WINDOWS: "Windows 1 and 2, of users whom window 0 has counted",
    Reason.LOST: "Did not win the attribution",
    Reason.UNTYPED: "SKAdNetwork 1.0, which does not tell downloads from redownloads",
    Reason.INVALID: "The signature does not match, or there is no key to tell",
    Reason.TEST: "Signed with a development or test key",
    Reason.NOT_COUNTED: "Of an app or network that is not ours, or a collision",
    Reason.NULLS: "Without a conversion value, which they leave out",
    Reason.NEVER_ARRIVED: "They have it, and it never arrived here",
    Reason.NEVER_FORWARDED: "Counted here, and delivered to none of their destinations",
    Reason.FORWARDED: "Delivered to them, and not in the statement",
    Reason.MISSING: "Counted here, and not in the statement",
    Reason.ELSEWHERE: "Of another app or network at theirs",
    Reason.DATE_BASIS: "Dated by install there, and by arrival here",
    Reason.TIME_ZONE: "On another day in their time zone",
    Reason.OTHER_DATES: "Dated as neither time zone nor install explains",
    Reason.OUTSIDE: "On days that the statement does not speak of",
    Reason.UNEXPLAINED: "The rest, which nothing explains",
    OURS: "Installs that count here",
}

# What one of our postbacks is, where it is no reason.
INSTALL = None

VALIDITY = {"invalid": Reason.INVALID, "unverifiable": Reason.INVALID, "development": Reason.TEST}
TYPES = {
    "download": INSTALL,
    "redownload": Reason.REDOWNLOADS,
    "re-engagement": Reason.REENGAGEMENTS,
}


def standing(row: Any, believed: Container[str]) -> Reason | None:
    """Why a postback, or a cell of them, is no install of ours; None where it is one.

    DESIGN, "install": window 0, winning, counted, of a download. `believed` are the verdicts that
    count, in a sandbox another one too.
    """
    if not row.counted:
        return Reason.NOT_COUNTED if row.verdict in believed else VALIDITY[row.verdict]
    if not row.did_win:
        return Reason.LOST
    if row.window != 0:
        return Reason.LATER_WINDOWS
    return TYPES.get(row.conversion_type or "", Reason.UNTYPED)
