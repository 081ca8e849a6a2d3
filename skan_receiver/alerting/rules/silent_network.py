"""An ad network that sent postbacks day by day sends none."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise

from sqlalchemy import select

from skan_receiver.alerting.rule import Finding, Limit, Rule, Sight
from skan_receiver.storage import CountCell, CountHour, CountVolume
from skan_receiver.storage.alerts import CRITICAL
from skan_receiver.storage.columns import hour_of, table

CELL, HOUR, VOLUME = table(CountCell), table(CountHour), table(CountVolume)

SPAN = 14  # days up to the last postback, in which it is seen how often one comes
LOOK_BACK = timedelta(days=44)  # silent for a month: it has ended, and nobody waits
TIMES = 3  # so many times the longest gap there was
AN_HOUR = timedelta(hours=1)


def look(sight: Sight) -> Iterator[Finding]:
    """Each network that used to send on most days, and from which nothing came for long."""
    for network, days in sorted(_days(sight).items()):
        last_day = max(days)
        regular = sum(last_day - day < timedelta(days=SPAN) for day in days)
        if regular < sight.limits["days"] or sight.now.date() - last_day < timedelta(days=1):
            continue
        if not (hours := _hours(sight, network, last_day)):
            continue
        silent = sight.now - hours[-1] - AN_HOUR  # it may have come at the hour's end
        longest = max((b - a for a, b in pairwise(hours)), default=AN_HOUR)
        if silent >= max(timedelta(hours=sight.limits["hours"]), TIMES * longest):
            yield Finding(
                network,
                f"Nothing that counts came from {network} since {hours[-1]:%d %b, %H:00} UTC, "
                f"{_hours_of(silent)} hours ago; in the two weeks before, the longest silence was "
                f"{_hours_of(longest)} h.",
                _hours_of(silent),
                CRITICAL,
            )


def _days(sight: Sight) -> dict[str, set[date]]:
    """The days on which each network sent something that counts."""
    first = (sight.now - LOOK_BACK).date()
    sent = (
        select(CELL.c.ad_network_id, VOLUME.c.day)
        .join_from(VOLUME, CELL, CELL.c.id == VOLUME.c.cell)
        .where(VOLUME.c.day >= first, VOLUME.c.n > 0, CELL.c.counted)
        .distinct()
    )
    days: defaultdict[str, set[date]] = defaultdict(set)
    for network, day in sight.connection.execute(sent):
        days[network].add(day)
    return days


def _hours(sight: Sight, network: str, last_day: date) -> Sequence[datetime]:
    """The hours of the span up to its last postback in which something came, in order."""
    end = hour_of(sight.now).replace(hour=0)
    end -= timedelta(days=(end.date() - last_day).days - 1)
    came = (
        select(HOUR.c.hour)
        .join_from(HOUR, CELL, CELL.c.id == HOUR.c.cell)
        .where(HOUR.c.hour >= end - timedelta(days=SPAN), HOUR.c.hour < end, HOUR.c.n > 0)
        .where(CELL.c.ad_network_id == network, CELL.c.counted)
        .distinct()
        .order_by(HOUR.c.hour)
    )
    return sight.connection.scalars(came).all()


def _hours_of(gap: timedelta) -> int:
    return round(gap / AN_HOUR)


SILENT_NETWORK = Rule(
    "silent_network",
    "A network is silent",
    "From an ad network that sent on most days of two weeks nothing came for three times the "
    "longest gap there was.",
    "Ask the network whether its campaigns run, and run skan-receiver doctor with the address "
    "that is registered: a certificate, a redirect or a firewall keeps devices out without a word.",
    look,
    (
        Limit("hours", 24, "Silent for at least", "hours", least=24, most=720),
        Limit("days", 10, "It sent on at least", "of 14 days", most=14),
    ),
)
