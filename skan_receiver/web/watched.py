"""What is not well, for pages: when it was looked, and where each alert leads."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import url_for
from sqlalchemy import Connection, Row

from skan_receiver.storage import alerts

# The worker looks every minute; it may be busy, or about to start.
LATE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Looked:
    """What the worker found when it last looked."""

    open: Sequence[Row[Any]]
    at: datetime | None
    late: bool  # so long ago that it may be worse by now

    @classmethod
    def of(cls, connection: Connection, now: datetime) -> "Looked":
        """Read it."""
        at = alerts.checked_at(connection)
        return cls(alerts.open_alerts(connection), at, at is None or at < now - LATE)


def links(row: Row[Any]) -> Sequence[tuple[str, str]]:
    """Where to go about an alert: addresses, and what they are called."""
    found = LINKS.get(row.rule)
    return found(row.subject) if found else ()


def _null_rate(subject: str) -> Sequence[tuple[str, str]]:
    app_id, _, network = subject.partition(" ")
    about: Any = {"app_id": app_id, "ad_network_id": network, "window": "0"}
    return (
        (url_for("reports.report", name="values", by="day", **about), "Its values by day"),
        (url_for("schemas.show", app_id=int(app_id)), "The app's schema"),
    )


def _silent(network: str) -> Sequence[tuple[str, str]]:
    return ((url_for("pages.postbacks", ad_network_id=network), "Its latest postbacks"),)


def _failing(name: str) -> Sequence[tuple[str, str]]:
    return (
        (url_for("destinations.show", name=name), "The destination"),
        (url_for("deliveries.listing", destination=name, state="dead"), "What was given up"),
    )


def _invalid(_subject: str) -> Sequence[tuple[str, str]]:
    return (
        (url_for("reports.report", name="invalid"), "Reasons"),
        (url_for("pages.postbacks", verdict="invalid"), "The latest of them"),
    )


def _ambiguity(subject: str) -> Sequence[tuple[str, str]]:
    return ((url_for("schemas.show", app_id=int(subject)), "The app's schema"),)


def _settings(_subject: str) -> Sequence[tuple[str, str]]:
    return ((url_for("settings.overview"), "Settings"),)


LINKS: Mapping[str, Callable[[str], Sequence[tuple[str, str]]]] = {
    "null_rate": _null_rate,
    "invalid_share": _invalid,
    "silent_network": _silent,
    "delivery_failing": _failing,
    "ambiguity": _ambiguity,
    "endpoint": _settings,
    "test_keys": _settings,
    "caps": _settings,
}
