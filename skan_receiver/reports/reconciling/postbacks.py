"""Which of our postbacks are compared."""

from collections.abc import Sequence
from datetime import UTC, datetime, time

from sqlalchemy import ColumnElement, Connection, exists, select

from skan_receiver.config import Settings
from skan_receiver.protocol import Verdict
from skan_receiver.reports.cells import CELL
from skan_receiver.reports.period import DAY
from skan_receiver.reports.pieces import MONTHS
from skan_receiver.reports.reconciling.sides import View
from skan_receiver.storage import Delivery, StoredPostback
from skan_receiver.storage.columns import table
from skan_receiver.storage.deliveries import DONE

POSTBACK, DELIVERY = table(StoredPostback), table(Delivery)

# DESIGN, "install", of the postbacks that count.
INSTALLS = (
    POSTBACK.c.window == 0,
    POSTBACK.c.did_win,
    POSTBACK.c.conversion_type == "download",
)


def sandbox(connection: Connection) -> Settings:
    """The settings by which the counts were made: whether development counts, they tell."""
    # Cells stay when nothing is counted of them any more.
    theirs = select(CELL.c.id).where(CELL.c.verdict == Verdict.DEVELOPMENT, CELL.c.counted)
    is_sandbox = exists().where(MONTHS.c.cell.in_(theirs))
    return Settings(sandbox=bool(connection.scalar(select(is_sandbox))))


def believed(settings: Settings) -> tuple[Verdict, ...]:
    """The verdicts that can count."""
    return (Verdict.VALID, Verdict.DEVELOPMENT) if settings.sandbox else (Verdict.VALID,)


def forwarded(destinations: Sequence[str]) -> ColumnElement[bool]:
    return exists().where(
        DELIVERY.c.identity == POSTBACK.c.identity,
        DELIVERY.c.stored_id == POSTBACK.c.id,
        DELIVERY.c.destination.in_(destinations),
        DELIVERY.c.state == DONE,
    )


def around(view: View) -> tuple[datetime, datetime]:
    """Moments that all of the days in sight lie between, in whatever zone."""
    start = datetime.combine(view.first, time(), UTC) - DAY
    return start, datetime.combine(view.last, time(), UTC) + 2 * DAY
