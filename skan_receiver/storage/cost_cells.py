"""Cells of costs and rates, read. A ValueError says what is wrong with one, and the remedy."""

import re
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from skan_receiver.storage.sheet import shown
from skan_receiver.storage.spreadsheet import fault

MICROS = 1_000_000
DIGITS = 6  # after the point, of what is kept in millionths

# Far more than one campaign costs on a day in any currency.
LARGEST_COST = 10_000_000_000
LARGEST_COUNT = 10**12
LARGEST_APP = 2**63 - 1
LONGEST = 200  # characters of a name


def day(cell: str) -> date:
    """A day as ISO 8601 writes it."""
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", cell):
            return sane(date.fromisoformat(cell))
    except ValueError:
        pass
    raise ValueError(f"{shown(cell)} is no day; write it like 2026-11-30")


def sane(on: date) -> date:
    """Leave room at both ends of the calendar."""
    if not 1970 <= on.year <= 9000:
        raise ValueError(f"{on} is no day of ours; write one between 1970 and 9000")
    return on


def zone(cell: str) -> str:
    """A time zone's name in the IANA database."""
    if cell.upper() in ("UTC", "Z"):
        return "UTC"
    try:
        return ZoneInfo(cell).key
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{shown(cell)} is no time zone; write one like Europe/Berlin") from None


def currency(cell: str) -> str:
    """Three letters."""
    if not re.fullmatch(r"[A-Za-z]{3}", cell):
        raise ValueError(f"{shown(cell)} is no currency; write three letters, as in EUR")
    return cell.upper()


def country(cell: str) -> str:
    """Two letters as Apple writes them, or nothing."""
    if not re.fullmatch(r"([A-Za-z]{2})?", cell):
        raise ValueError(f"{shown(cell)} is no country; write two letters, as in US")
    return cell.upper()


def app(cell: str) -> int:
    """An App Store id."""
    if not re.fullmatch(r"[0-9]{1,19}", cell) or int(cell) > LARGEST_APP:
        raise ValueError(f"{shown(cell)} is no App Store id; write its number")
    return int(cell)


def text(cell: str) -> str:
    """An id or a name of the network's."""
    if wrong := fault(cell):
        raise ValueError(wrong)
    if len(cell) > LONGEST:
        raise ValueError(f"has {len(cell)} characters; shorten it to {LONGEST}")
    return cell.strip()


def count(cell: str) -> int | None:
    """How many, or nothing where the network does not say."""
    if not cell:
        return None
    if not re.fullmatch(r"[0-9]{1,13}", cell) or int(cell) > LARGEST_COUNT:
        raise ValueError(f"{shown(cell)} is no number of them; write it like 1234")
    return int(cell)


def micros(cell: str) -> int:
    """An amount in millionths, exactly."""
    if not re.fullmatch(r"[0-9]{1,20}(\.[0-9]*)?", cell):
        raise ValueError(f"{shown(cell)} is no cost; write it like 1234.56, not below 0")
    return of_decimal(Decimal(cell))


def of_decimal(amount: Decimal) -> int:
    """A decimal in millionths, exactly."""
    if not 0 <= amount <= LARGEST_COST:
        raise ValueError(f"{amount} is not between 0 and {LARGEST_COST}; state what the day cost")
    if amount != round(amount, DIGITS):
        raise ValueError(f"{amount} has more than {DIGITS} digits after the point; round it")
    return int(amount * MICROS)


def written(amount: int) -> str:
    """Millionths as a decimal, with two digits after the point or as many as it needs."""
    units, rest = divmod(amount, MICROS)
    digits = f"{rest:06}".rstrip("0")
    return f"{units}.{digits:0<2}"


def rate(cell: str) -> float:
    """Units for one of the base."""
    if not re.fullmatch(r"[0-9]{1,15}(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?", cell):
        raise ValueError(f"{shown(cell)} is no rate; write a number above 0, like 1.0841")
    if not (found := float(cell)):
        raise ValueError("a rate of 0 makes nothing of everything; write a number above 0")
    return found
