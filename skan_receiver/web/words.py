"""How pages say things: one word per thing, the same on every page."""

import json
import re
from base64 import urlsafe_b64decode
from datetime import datetime
from typing import Any

# Letters, marks and symbols by their category that show as nothing all the same: fillers,
# selectors of variants, the blank of Braille.
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0100-\U000e01ef]"
)

SEPARATOR = "\u2063"  # between the values Apple signs; it shows as nothing

BRIEF = 13  # characters: the first two groups of a UUID

WINDOWS = ("days 0–2", "days 3–7", "days 8–35")

VERDICTS = {
    "valid": "The signature is good, and made by a production key.",
    "development": "Signed by a development or test key: genuine, and never counted as real.",
    "invalid": "The signature does not match. Whoever sent this, it is not what Apple signed.",
    "unverifiable": "No key or rule is known for it. It may be newer than this release.",
}

ENDPOINTS = {
    "network": "the network's URL",
    "developer": "the developer's copy",
    "import": "an import",
    "simulator": "the simulator",
}

FIELDS = {
    "postback_id": "Postback id",
    "app_id": "App",
    "ad_network_id": "Ad network",
    "version": "Version",
    "window": "Window",
    "conversion_type": "Conversion",
    "did_win": "Won",
    "campaign_id": "Campaign",
    "source_identifier": "Source identifier",
    "fidelity_type": "Fidelity",
    "impression_type": "Impression",
    "source_app_id": "Source app",
    "source_domain": "Source domain",
    "marketplace_id": "Marketplace",
    "fine_value": "Fine value",
    "coarse_value": "Coarse value",
    "country": "Country",
    "interaction_type": "Interaction",
}

STATES = {
    "owed": "waiting",
    "leased": "being sent",
    "done": "delivered",
    "dead": "given up",
}

KINDS = {
    "standing": "these values stand",
    "duplicate": "the same again",
    "conflict": "other unsigned values",
    "collision": "other signed fields",
}


def printable(found: str, keep: str = "") -> str:
    """A stranger's text with everything escaped that is not to be seen, or turns round or steers
    what is: controls, those of direction among them, and whatever else is blank.
    """
    if found.isprintable() and not _BLANK.search(found):
        return found
    return "".join(
        char if char in keep or (char.isprintable() and not _BLANK.match(char)) else _escaped(char)
        for char in found
    )


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode()


def on_pages(found: Any) -> Any:
    """What a template is about to print. Lines stay lines; marks of our own are not looked at."""
    if isinstance(found, str) and not hasattr(found, "__html__"):
        return printable(found, keep="\t\n\r")
    return found


def name(row: Any) -> str:
    """A postback's id, or its row's number where that shows as nothing."""
    return printable(row.postback_id).strip() or f"#{row.id}"


def brief(row: Any) -> str:
    """Enough of it to tell it from others."""
    whole = name(row)
    return whole if len(whole) <= BRIEF else f"{whole[:BRIEF]}…"


def window(index: int) -> str:
    """Apple's postback-sequence-index, as its documents speak of it."""
    days = f" ({WINDOWS[index]})" if index < len(WINDOWS) else ""
    return f"Postback {index + 1}{days}"


def framework(row: Any) -> str:
    """Which framework, and its version where it has one."""
    if row.framework == "adattributionkit":
        return "AdAttributionKit"
    return f"SKAdNetwork {row.version}"


def endpoint(name: str) -> str:
    """Where something came in."""
    if name.startswith("forwarded:"):
        return f"forwarded by {name.removeprefix('forwarded:')}"
    return ENDPOINTS.get(name, name)


def value(row: Any) -> str:
    """The conversion value, fine or coarse; absent is a dash."""
    if row.fine_value is not None:
        return str(row.fine_value)
    return row.coarse_value or "–"


def field(name: str, found: Any) -> str:
    """A field's value as a person reads it; absent is a dash."""
    if found is None or (name == "version" and found == ""):
        return "–"
    if isinstance(found, bool):
        return "yes" if found else "no"
    return window(found) if name == "window" else str(found)


def moment(at: datetime) -> str:
    """A time to the second. UTC, as every time here."""
    return f"{at:%Y-%m-%d %H:%M:%S}"


def iso(at: datetime) -> str:
    """For <time datetime>."""
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def signed_parts(message: bytes) -> list[str]:
    """The signed text, cut where its invisible separators are."""
    return message.decode("utf-8", "backslashreplace").split(SEPARATOR)


def jws_parts(message: bytes) -> list[str]:
    """Header and payload of an AdAttributionKit postback, as Apple wrote them."""
    try:
        parts = [urlsafe_b64decode(part + b"=" * (-len(part) % 4)) for part in message.split(b".")]
        return [json.dumps(json.loads(part), indent=2, ensure_ascii=False) for part in parts]
    except ValueError:
        return [text(message)]


def text(content: bytes) -> str:
    """Bytes of a stranger, readable."""
    return content.decode("utf-8", "backslashreplace")


def sentence(said: str) -> str:
    """With a capital at its beginning, and the names in it as they are."""
    return said[:1].upper() + said[1:]


def number(n: int) -> str:
    """1234567 as 1,234,567."""
    return f"{n:,}"
