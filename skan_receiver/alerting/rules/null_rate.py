"""More postbacks than usual came without a value."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, case

from skan_receiver.alerting.proportions import percent, surely_more
from skan_receiver.alerting.rule import Finding, Limit, Rule, Sight
from skan_receiver.reports import Filters, Period, Question, cells
from skan_receiver.reports.cells import CELL, N
from skan_receiver.reports.values import COULD_CARRY
from skan_receiver.storage.counts import ABSENT, NOTHING

# Whole days: at each hour of a day other users' postbacks come.
LATELY, BEFORE = timedelta(days=3), timedelta(days=14)

BY = ("app_id", "ad_network_id")
WITHOUT = case((and_(CELL.c.fine_value == ABSENT, CELL.c.coarse_value == NOTHING), N), else_=0)


def look(sight: Sight) -> Iterator[Finding]:
    """Each app and network whose null rate of first postbacks jumped."""
    today = sight.now.replace(hour=0, minute=0, second=0, microsecond=0)
    lately = _rates(sight, Period(today - LATELY, today))
    if not lately:
        return
    before = _rates(sight, Period(today - LATELY - BEFORE, today - LATELY))
    for key, (absent, n) in lately.items():
        was_absent, was = before.get(key, (0, 0))
        if min(n, was) < sight.limits["postbacks"]:
            continue
        rate, usual = absent / n, was_absent / was
        jumped = 100 * (rate - usual) >= sight.limits["points"]
        if jumped and surely_more(absent, n, was_absent, was):
            app_id, network = key
            yield Finding(
                f"{app_id} {network}",
                f"{percent(rate)} of the first postbacks of app {app_id} from {network} carried "
                f"no value in the last three days ({absent:,} of {n:,}); in the 14 days before "
                f"it was {percent(usual)}.",
                100 * rate,
            )


def _rates(sight: Sight, period: Period) -> dict[tuple[Any, ...], tuple[int, int]]:
    rows = cells.sums(
        sight.connection,
        Question(period=period, by=BY, filters=Filters(window=0)),
        amounts=(cells.total(WITHOUT, "absent"), cells.total(N, "n")),
        only=COULD_CARRY,
    )
    return {tuple(row[name] for name in BY): (row["absent"], row["n"]) for row in rows}


NULL_RATE = Rule(
    "null_rate",
    "Null rate jumps",
    "First postbacks of an app and network carry no value more often than in the 14 days before.",
    "See whether the newest release of the app still updates conversion values, and whether the "
    "network split its campaigns: Apple withholds values where few users are alike.",
    look,
    (
        Limit("points", 15, "More by", "percentage points"),
        Limit("postbacks", 100, "Of postbacks, then and now, at least", most=1_000_000),
    ),
)
