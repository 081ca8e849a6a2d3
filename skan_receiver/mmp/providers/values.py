"""What MMPs write, read as the fields of an event.

What was not said is None, however it was written: nothing, "null", "N/A", an id of zeros, a time
of zero, a macro that nobody replaced. What cannot be read raises ValueError, without the value:
it may tell who somebody is, and reasons are logged.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from skan_receiver.mmp.event import Att, Platform

# PostgreSQL indexes no more than 2,704 bytes of a row, and by these a person is found.
LONGEST_ID = 255
LONGEST_TEXT = 2_000
LARGEST_AMOUNT = Decimal(10) ** 12
LARGEST_INTEGER = 2**63 - 1

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_NOTHING = {"", "null", "none", "nil", "undefined", "n/a", "(null)", "nan"}

# `{idfa}`, `{cl?Network}`, `${(user_data.idfa)!}`, `(install-unix-ts)`: as they stand in a URL
# that was pasted where nobody replaces them.
_MACRO = re.compile(r"\{\{?[\w.?=-]+\}?\}|\$\{.*\}|\([a-z][a-z0-9_-]*\)", re.DOTALL)

_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")
_AMOUNT = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,2})?")
_ZEROS = "0-:. TZ+"

# Of a time that is a number, by the digits before its point.
_SCALES = {9: 1, 10: 1, 12: 10**3, 13: 10**3, 15: 10**6, 16: 10**6}

_FLAGS = {
    **dict.fromkeys(("true", "1", "yes", "y", "t", "1.0"), True),
    **dict.fromkeys(("false", "0", "no", "n", "f", "0.0"), False),
}

# The numbers are Apple's. AppsFlyer has words of its own for devices without the question: what
# nobody asked was not allowed.
_ATT: Mapping[str, Att | None] = {
    **{each.value: each for each in Att},
    **{str(number): each for number, each in enumerate(Att)},
    "notdetermined": Att.NOT_DETERMINED,
    "af_authorized": None,
    "af_unavailable": None,
    "not_applicable": None,
    "not applicable": None,
    "unavailable": None,
    "unknown": None,
}

_PLATFORMS = {
    "ios": Platform.IOS,
    "iphone": Platform.IOS,
    "ipad": Platform.IOS,
    "ipados": Platform.IOS,
    "ios_app": Platform.IOS,
    "android": Platform.ANDROID,
    "android_app": Platform.ANDROID,
}

# AppsFlyer's word for the United Kingdom is not ISO's.
_COUNTRIES = {"UK": "GB"}


def said(value: object) -> str | None:
    """A member or parameter as text; None where it says nothing."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | Decimal):
        raise ValueError("expected text or a number")  # noqa: TRY004  # what is wrong with a value
    found = str(value).strip()
    if found.lower() in _NOTHING or _MACRO.fullmatch(found):
        return None
    if "\0" in found:
        raise ValueError("holds U+0000, which no database stores as text")
    if not found.isascii() and any("\ud800" <= letter <= "\udfff" for letter in found):
        raise ValueError("holds half of a surrogate pair")
    return found


def text(found: str) -> str:
    """A name, of a campaign or a device."""
    return _within(found, LONGEST_TEXT)


def key(found: str) -> str:
    """What is looked for: the id of an event or an order."""
    return _within(found, LONGEST_ID)


def person(found: str) -> str | None:
    """An identifier; zeros are what phones say that have none to give."""
    return _within(found, LONGEST_ID) if found.strip("0-") else None


def moment(found: str) -> datetime | None:
    """Seconds, milliseconds or microseconds since 1970, or ISO 8601; without a zone it is UTC."""
    if not found.strip(_ZEROS):
        return None
    if _NUMBER.fullmatch(found):
        scale = _SCALES.get(len(found.partition(".")[0]))
        if scale is None:
            raise ValueError("not a time: seconds have 10 digits, milliseconds 13")
        return EPOCH + timedelta(microseconds=int(Decimal(found) * (10**6 // scale)))
    try:
        at = datetime.fromisoformat(found.removesuffix("UTC").strip())
        at = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise ValueError("not a time: seconds, milliseconds or ISO 8601") from None
    if not EPOCH.year <= at.year <= 9000:
        raise ValueError("a year between 1970 and 9000, please")
    return None if at == EPOCH else at


def amount(found: str) -> Decimal:
    """An amount of money, to the last digit."""
    try:
        value = Decimal(found) if _AMOUNT.fullmatch(found) else None
    except InvalidOperation:
        value = None
    if value is None:
        raise ValueError("not an amount, as in 9.99")
    if abs(value) >= LARGEST_AMOUNT:
        raise ValueError("an amount of a million millions or more")
    return value


def currency(found: str) -> str:
    """Three letters."""
    if not re.fullmatch("[A-Za-z]{3}", found):
        raise ValueError("not a currency of three letters, as in EUR")
    return found.upper()


def flag(found: str) -> bool:
    """Yes or no."""
    if (value := _FLAGS.get(found.lower())) is None:
        raise ValueError("neither true nor false")
    return value


def organic(found: str) -> bool:
    """Whether it is attributed, of whether it is organic."""
    return not flag(found)


def country(found: str) -> str:
    """Two letters."""
    if not re.fullmatch("[A-Za-z]{2}", found):
        raise ValueError("not a country of two letters, as in DE")
    return _COUNTRIES.get(found.upper(), found.upper())


def att(found: str) -> Att | None:
    """What the user answered; None where the MMP says that it cannot know."""
    word = found.lower()
    if word not in _ATT:
        raise ValueError("not 0 to 3, nor one of not_determined, restricted, denied, authorized")
    return _ATT[word]


def platform(found: str) -> Platform | None:
    """What it ran on; None for a television."""
    return _PLATFORMS.get(found.lower())


def app_id(found: str) -> int:
    """An App Store id, with the `id` that AppsFlyer puts before it."""
    digits = found.removeprefix("id")
    if not re.fullmatch("[0-9]{1,19}", digits) or int(digits) > LARGEST_INTEGER:
        raise ValueError("not an App Store id, as in 1217828636")
    return int(digits)


def app(found: str) -> int | str:
    """An App Store id, or a package's name where it is none."""
    if re.fullmatch("(id)?[0-9]{1,19}", found):
        return app_id(found)
    return key(found)


def _within(found: str, most: int) -> str:
    # No letter has more than four bytes.
    if len(found) * 4 > most and len(found.encode()) > most:
        raise ValueError(f"longer than {most} bytes")
    return found


# How each field is read; one that is not here is a text. Some are no fields of an event: its
# provider makes others of them.
READERS: Mapping[str, Callable[[str], Any]] = {
    **dict.fromkeys(("at", "installed_at", "touched_at"), moment),
    **dict.fromkeys(
        (
            *("idfa", "idfv", "gaid", "android_id", "customer_user_id"),
            *("mmp_user_id", "click_id"),
        ),
        person,
    ),
    **dict.fromkeys(
        (
            *("is_attributed", "is_retargeting", "limit_ad_tracking", "gdpr_applies"),
            *("ad_user_data", "ad_personalization", "limited_data_use", "child_directed"),
            *("is_restricted", "is_view", "twitter_allows"),
        ),
        flag,
    ),
    **dict.fromkeys(("event_id", "order_id", "withdraws", "bundle_id", "name", "ip"), key),
    "organic": organic,
    "app": app,
    "app_id": app_id,
    "att": att,
    "country": country,
    **dict.fromkeys(("currency", "reporting_currency"), currency),
    "platform": platform,
    **dict.fromkeys(("revenue", "revenue_usd", "reporting_revenue"), amount),
}
