"""Cells of a statement, each read with what is wrong and the remedy as a ValueError."""

import math
import re
from datetime import UTC, date, datetime, tzinfo

from skan_receiver.protocol.text import clip

LARGEST = 2**63 - 1  # of what numbers are kept in
LONGEST = 200  # characters of an id or a name

TRUE, FALSE = {"true", "1", "yes", "t"}, {"false", "0", "no", "f"}
NOTHING = {"", "null", "none", "n/a", "nan"}

# Unix times by how many digits they have: seconds, milliseconds.
SECONDS, MILLISECONDS = 10, 13


def shown(cell: str) -> str:
    """A cell as a mistake names it."""
    return f"`{clip(cell)}`" if cell else "nothing"


def day(cell: str, zone: tzinfo) -> date:
    """A day, or the day of a moment. Moments without an offset are of the statement's zone."""
    try:
        moment = _moment(cell)
        local = moment.astimezone(zone) if moment.tzinfo else moment
        if 1970 < local.year <= 9000:
            return local.date()
    except (ValueError, OverflowError, OSError):
        pass
    raise ValueError(f"{shown(cell)} is no day; write it like 2026-11-30")


def _moment(cell: str) -> datetime:
    if re.fullmatch(r"[0-9]+", cell) and len(cell) in (SECONDS, MILLISECONDS):
        seconds = int(cell) / (1 if len(cell) == SECONDS else 1_000)
        return datetime.fromtimestamp(seconds, UTC)
    # As AppsFlyer writes it: 2026-11-30 10:11:12.123, and Parquet's UTC at its end.
    return datetime.fromisoformat(re.sub(r" ?UTC$", "+00:00", cell))


def postback_id(cell: str) -> str:
    """Apple's id. Case does not tell them apart."""
    if len(cell) > LONGEST or re.search(r"\s", cell):
        raise ValueError(f"{shown(cell)} is no id of a postback; write Apple's transaction-id")
    return cell.lower()


def network(cell: str) -> str:
    """An ad network's id."""
    if not re.fullmatch(r"[A-Za-z0-9.-]{1,200}", cell):
        raise ValueError(f"{shown(cell)} is no ad-network id; one looks like abc123.skadnetwork")
    return cell.lower()


def app(cell: str) -> int:
    """An App Store id; AppsFlyer writes `id` before it."""
    digits = cell.lower().removeprefix("id").removesuffix(".0")
    if not re.fullmatch(r"[0-9]{1,19}", digits) or int(digits) > LARGEST:
        raise ValueError(f"{shown(cell)} is no App Store id; write its number")
    return int(digits)


def window(cell: str) -> int:
    """The postback-sequence-index."""
    if cell.removesuffix(".0") not in ("0", "1", "2"):
        raise ValueError(f"{shown(cell)} is no window; write 0, 1 or 2")
    return int(cell[0])


def flag(cell: str) -> bool:
    """Yes or no."""
    if (said := cell.lower().removesuffix(".0")) in TRUE or said in FALSE:
        return said in TRUE
    raise ValueError(f"{shown(cell)} is neither true nor false; write one of them")


def count(cell: str) -> int:
    """How many: some sheets write thousands apart, and whole numbers as 12.0."""
    digits = re.sub(r"\.0+$", "", cell)
    if re.fullmatch(r"[0-9]{1,3}(,[0-9]{3})+", digits):
        digits = digits.replace(",", "")
    if not re.fullmatch(r"[0-9]{1,15}", digits):
        raise ValueError(f"{shown(cell)} is no number of installs; write it like 1234")
    return int(digits)


def amount(cell: str) -> float:
    """Money."""
    try:
        if math.isfinite(worth := float(cell)):
            return worth
    except ValueError:
        pass
    raise ValueError(f"{shown(cell)} is no amount; write it like 12.50")


def currency(cell: str) -> str:
    """Three letters."""
    if not re.fullmatch(r"[A-Za-z]{3}", cell):
        raise ValueError(f"{shown(cell)} is no currency; write three letters, as in EUR")
    return cell.upper()
