"""What came of tries: what follows from each, and what they tell of their destinations."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog
from sqlalchemy import Connection, Row

from skan_receiver.delivery import gate, ledger
from skan_receiver.delivery.gate import Told
from skan_receiver.delivery.lane import InHand
from skan_receiver.delivery.ledger import Tried
from skan_receiver.delivery.registry import Entry
from skan_receiver.delivery.retry import GONE, Retry, Try
from skan_receiver.delivery.sending import Sent
from skan_receiver.storage import Store
from skan_receiver.storage.deliveries import DEAD, DONE

log = structlog.get_logger("delivery")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a try ended, by which definition it was made, and what is to be written down."""

    entry: Entry
    tried: Tried
    taken: bool
    gone: bool = False


def outcome(entry: Entry, one: InHand, sent: Sent, retry: Retry) -> Outcome:
    """What follows from a try."""
    row = one.row
    tried = Try(
        row.attempts + 1,
        sent.status,
        permanent=sent.failure is not None and sent.failure.permanent,
        refusals=row.refusals,
        retry_after=sent.answer.retry_after if sent.answer else None,
    )
    following = retry.after(tried, datetime.now(UTC))
    say(row, following.state, sent)
    written = Tried(*one.key, following.state, following.again, sent.logged(row.id), tried.refused)
    return Outcome(entry, written, sent.taken, sent.status == GONE)


def write_down(
    store: Store, outcomes: Sequence[Outcome], is_bad: Callable[[str], bool]
) -> Collection[str]:
    """One transaction: the tries, and what they tell of their destinations. The names of those
    that were shut by it. `is_bad` says whether most of what was lately sent to one failed."""
    shut: dict[str, str] = {}
    news = _news(outcomes, is_bad)

    def also(connection: Connection) -> None:
        shut.clear()
        for entry, told in news:
            if why := gate.follow(connection, entry, told):
                shut[entry.name] = why

    ledger.complete(store, [one.tried for one in outcomes], also)
    for name, why in shut.items():
        log.error("closed", destination=name, why=why)
    return shut.keys()


def _news(outcomes: Iterable[Outcome], is_bad: Callable[[str], bool]) -> list[tuple[Entry, Told]]:
    """What they tell of each definition; in order, so that no two workers wait in a circle."""
    by_definition: defaultdict[tuple[Any, ...], list[Outcome]] = defaultdict(list)
    for one in outcomes:
        by_definition[one.entry.name, one.entry.created_at, one.entry.revision].append(one)
    return [(some[-1].entry, _told(some, is_bad)) for _, some in sorted(by_definition.items())]


def _told(outcomes: Sequence[Outcome], is_bad: Callable[[str], bool]) -> Told:
    failed = any(not one.taken for one in outcomes)
    return Told(
        taken=any(one.taken for one in outcomes),
        failed=failed,
        gone=any(one.gone for one in outcomes),
        bad=failed and is_bad(outcomes[-1].entry.name),
        probe=any(one.taken and one.entry.open_until is not None for one in outcomes),
    )


def say(row: Row[Any], state: str, sent: Sent) -> None:
    """One line for each try that was not taken; of what was, the ledger tells."""
    if state == DONE:
        return
    tell = log.error if state == DEAD else log.warning
    tell(
        "not delivered",
        delivery=row.id,
        destination=row.destination,
        number=row.attempts + 1,
        status=sent.status,
        state=state,
        error=sent.error,
    )
