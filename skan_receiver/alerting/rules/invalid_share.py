"""More than usual of what came cannot be believed."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

from skan_receiver.alerting.proportions import percent, surely_more
from skan_receiver.alerting.rule import Finding, Limit, Rule, Sight
from skan_receiver.protocol import Verdict
from skan_receiver.reports import Period, Question, cells
from skan_receiver.reports.cells import N
from skan_receiver.storage.alerts import CRITICAL
from skan_receiver.storage.columns import hour_of

LATELY, BEFORE = timedelta(hours=24), timedelta(days=14)
REFUSED = (Verdict.INVALID.value, Verdict.UNVERIFIABLE.value)
MOST = 0.8  # from there on hardly anything is left to count


def look(sight: Sight) -> Iterator[Finding]:
    """All that came in the last day, beside what came in the two weeks before."""
    end = hour_of(sight.now) + timedelta(hours=1)
    start = end - LATELY
    lately = _verdicts(sight, start, end)
    refused, n = sum(lately[name] for name in REFUSED), lately.total()
    if n < sight.limits["postbacks"] or 100 * refused <= sight.limits["share"] * n:
        return
    before = _verdicts(sight, start - BEFORE, start)
    was_refused, was = sum(before[name] for name in REFUSED), before.total()
    if was >= sight.limits["postbacks"] and not surely_more(refused, n, was_refused, was):
        return
    usual = f"usual is {percent(was_refused / was)}" if was else "nothing came before"
    network, of_it = _most(sight, start, end)
    share = refused / n
    yield Finding(
        "all",
        f"{percent(share)} of the last 24 hours' postbacks were invalid or unverifiable "
        f"({refused:,} of {n:,}); {usual}. Most name the ad network {network} ({of_it:,}).",
        100 * share,
        severity=CRITICAL if share > MOST else "warning",
    )


def _verdicts(sight: Sight, start: datetime, end: datetime) -> Counter[str]:
    asked = Question(period=Period(start, end), by=("verdict",))
    rows = cells.sums(sight.connection, asked, amounts=(cells.total(N, "n"),))
    return Counter({row["verdict"]: row["n"] for row in rows})


def _most(sight: Sight, start: datetime, end: datetime) -> tuple[str, int]:
    asked = Question(period=Period(start, end), by=("ad_network_id",))
    rows = cells.sums(
        sight.connection,
        asked,
        amounts=(cells.total(N, "n"),),
        only=(cells.CELL.c.verdict.in_(REFUSED),),
    )
    return max(((row["ad_network_id"], row["n"]) for row in rows), key=lambda one: one[1])


INVALID_SHARE = Rule(
    "invalid_share",
    "Invalid postbacks",
    "Of the last 24 hours' postbacks more than usual were invalid or unverifiable.",
    "Look at their reasons: a forwarder that changes bodies, a key of Apple's that is newer than "
    "this release (SKAN_KEYS), or somebody who makes them up.",
    look,
    (
        Limit("share", 20, "More than", "% of all"),
        Limit("postbacks", 50, "Of postbacks at least", most=1_000_000),
    ),
)
