"""What macros stand for: rows as values. The names are those of `templates.macros`."""

import json
import zlib
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Row

from skan_receiver.conversion.meaning import Meaning, Revenue
from skan_receiver.conversion.timing import installed
from skan_receiver.storage.campaigns import Named
from skan_receiver.storage.columns import hour_of
from skan_receiver.storage.meanings import NO_SCHEMA, Reading, Readings

Values = dict[str, Any]

# Columns of `postback` that are macros by their own name.
SAME = (
    *("postback_id", "framework", "app_id", "ad_network_id", "window", "source_identifier"),
    *("conversion_type", "did_win", "fidelity_type", "source_app_id", "source_domain"),
    *("marketplace_id", "impression_type", "fine_value", "coarse_value", "country"),
    *("interaction_type", "verdict", "key_id", "endpoint"),
)


def of_postback(row: Row[Any]) -> Values:
    """Apple's fields, and what we know of the arrival."""
    kind = row.conversion_type
    return {
        **{name: getattr(row, name) for name in SAME},
        "version": row.version or None,
        "skan_campaign_id": row.campaign_id,
        "redownload": None if kind is None else kind == "redownload",
        "received_at": iso(row.received_at),
        "received_at_s": int(row.received_at.timestamp()),
        "received_at_ms": int(row.received_at.timestamp() * 1000),
        "postback_base64": b64encode(row.body).decode(),
    }


def of_sending(delivery: Row[Any], name: str) -> Values:
    """What is the same whatever is sent, under the name that receivers are told."""
    digits = int.from_bytes(sha256(name.encode()).digest()[:12], "big") % 10**20
    return {
        "delivery_id": name,
        "destination": delivery.destination,
        "attempt": delivery.attempts + 1,
        "digits": f"{digits:020d}",
    }


def delivery_name(identity: bytes, destination: str) -> str:
    """What a receiver may tell copies by: the same over retries, replays and databases.

    Not the number of the row: a new database begins at 1 again, and a receiver that remembers
    would drop what it has never seen.
    """
    return f"{identity.hex()}_{destination}"


def of_campaign(named: Named) -> Values:
    """Names by the owner's campaign table; absent where it has none."""
    names = {name: text or None for name, text in asdict(named).items()}
    del names["country"]  # the country a campaign targets is not where a user is
    return names


def of_meaning(row: Row[Any], readings: Readings) -> Values:
    """The meaning by the version most likely in force, and how certain that is."""
    since = installed(row.version, row.window, hour_of(row.received_at))
    when = {"installed_from": iso(since.start), "installed_to": iso(since.end)}
    if not readings:
        return {**when, "no_value": NO_SCHEMA}
    best = max(readings, key=lambda reading: (reading.weight, reading.version.number))
    return {**when, **_read(best), "readings": [plain(one) for one in readings]}


def _read(reading: Reading) -> Values:
    decoded, meaning = reading.decoded, reading.decoded.meaning
    told: Values = {
        "schema_version": reading.version.number,
        "schema_hash": reading.version.content_hash,
        "certainty": round(reading.weight, 4),
        "words": str(decoded),
        "no_value": decoded.reason or None,
    }
    if meaning is None:
        return told
    return {
        **told,
        "label": meaning.label or None,
        "events": [event.as_dict() for event in meaning.events],
        "flags": dict(meaning.flags),
        "meaning": meaning.as_dict(),
        **_worth(_total(meaning)),
    }


def _total(meaning: Meaning) -> Revenue | None:
    """All revenue together, or the only kind there is."""
    if (total := meaning.revenue_of("total")) is not None:
        return total
    return meaning.revenue[0] if len(meaning.revenue) == 1 else None


def _worth(revenue: Revenue | None) -> Values:
    if revenue is None:
        return {}
    return {
        "revenue": revenue.middle,
        "revenue_min": revenue.min,
        "revenue_max": revenue.max,
        "currency": revenue.currency,
    }


def of_window(row: Row[Any]) -> Values:
    """A window of a report, as it was made; and which report, which no template can name."""
    content: Values = json.loads(zlib.decompress(row.content))
    return {
        **{name: content[name] for name in ("report", "length", "format", "as_of")},
        **{name: content[name] for name in ("completeness", "columns", "rows", "suppressed")},
        "date_basis": content["basis"],
        "window_start": iso(row.start),
        "window_end": iso(row.end),
        "revision": row.revision + 1,
        "row_count": len(content["rows"]),
    }


def plain(reading: Reading) -> Mapping[str, Any]:
    """A reading as JSON has it."""
    told = reading.as_dict()
    since = told["effective_from"]
    return {**told, "effective_from": None if since is None else iso(since)}


def iso(moment: datetime) -> str:
    """As 2026-11-25T22:10:00Z; with fractions only where there are any."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
