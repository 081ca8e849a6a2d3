"""Devices do not get through."""

from collections.abc import Iterator
from datetime import timedelta

from skan_receiver.alerting.rule import Finding, Limit, Rule, Sight
from skan_receiver.storage.alerts import CRITICAL
from skan_receiver.storage.checks import failing_since


def look(sight: Sight) -> Iterator[Finding]:
    """The public address, where it has not answered as it should for some minutes."""
    if (failing := failing_since(sight.connection, sight.now)) is None:
        return
    minutes = (failing.until - failing.since) / timedelta(minutes=1)
    if minutes >= sight.limits["minutes"]:
        yield Finding(
            "endpoint",
            f"Since {failing.since:%d %b, %H:%M} UTC no check of the endpoint has ended well: "
            f"{failing.fault}. Devices try again for nine days.",
            minutes,
            CRITICAL,
        )


ENDPOINT = Rule(
    "endpoint",
    "The endpoint does not answer",
    "The public address has not answered as devices need it for some minutes.",
    "Run skan-receiver doctor with the address: it says whether it is the certificate, a redirect, "
    "a firewall, or the server itself.",
    look,
    (Limit("minutes", 3, "Not answering for at least", "minutes", most=1440),),
)
