"""What is compared by id, read in the order of ids: never more of it in memory than a part."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, exists, func, select, tuple_

from skan_receiver.protocol import Verdict, identities
from skan_receiver.reports.reconciling.postbacks import (
    INSTALLS,
    POSTBACK,
    around,
    believed,
    forwarded,
    sandbox,
)
from skan_receiver.reports.reconciling.reasons import standing
from skan_receiver.reports.reconciling.sides import Claim, Held, View
from skan_receiver.reports.reconciling.statement import LINE, Read
from skan_receiver.storage import Seen
from skan_receiver.storage.columns import table
from skan_receiver.storage.counts import NOTHING
from skan_receiver.storage.predicate import counts, qualifies, superseded

SEEN = table(Seen)

# Ids that are looked up at once.
CHUNK = 500


class Ids:
    """What is compared by id, in the order of ids."""

    def __init__(self, connection: Connection, statement: Read, view: View) -> None:
        self.connection, self.statement, self.view = connection, statement, view
        self.settings = sandbox(connection)
        self._believed = believed(self.settings)

    def pairs(self) -> Iterator[tuple[list[Claim], list[Held]]]:
        """The lines of each id, and our postbacks of it."""
        some: list[list[Claim]] = []
        for _, claims in groupby(self._claims(), key=attrgetter("postback_id")):
            some.append(list(claims))
            if len(some) == CHUNK:
                yield from self._found(some)
                some = []
        yield from self._found(some)

    def _claims(self) -> Iterator[Claim]:
        rows = self.connection.execute(
            select(LINE)
            .where(LINE.c.statement_id == self.statement.id, LINE.c.postback_id.is_not(None))
            .order_by(LINE.c.postback_id, LINE.c.number),
            execution_options={"yield_per": 10_000},
        )
        by_id = self.view.terms.by_id
        for row in rows:
            if (row.app_id, row.ad_network_id) in by_id:
                yield _claim(row)

    def _found(self, some: Sequence[list[Claim]]) -> Iterator[tuple[list[Claim], list[Held]]]:
        ids = [str(claims[0].postback_id) for claims in some]
        # Of the others a postback is only where none is found that counts.
        found = self._held(ids, self._believed)
        doubted = [verdict for verdict in Verdict if verdict not in self._believed]
        found |= self._held([one for one in ids if one not in found], doubted)
        for one, claims in zip(ids, some, strict=True):
            yield claims, found.get(one, [])

    def _held(self, ids: Sequence[str], verdicts: Sequence[Verdict]) -> dict[str, list[Held]]:
        keys = [key for one in ids for key in identities(one, verdicts)]
        if not keys:
            return {}
        rows = self.connection.execute(
            self._postbacks()
            .join(SEEN, and_(SEEN.c.stored_id == POSTBACK.c.id, SEEN.c.key == POSTBACK.c.identity))
            .where(SEEN.c.key.in_(keys), ~superseded())
        )
        found: defaultdict[str, list[Held]] = defaultdict(list)
        for row in rows:
            found[row.postback_id.lower()].append(self._of_ours(row))
        return found

    def unclaimed(self) -> Iterator[Held]:
        """Our installs in sight whose id is in no line."""
        claimed = exists().where(
            LINE.c.statement_id == self.statement.id,
            LINE.c.postback_id == func.lower(POSTBACK.c.postback_id),
            *self._only_by_id(),
        )
        start, end = around(self.view)
        apps = {app_id for app_id, _ in self.view.terms.by_id}
        rows = self.connection.execute(
            self._postbacks()
            .where(POSTBACK.c.received_at >= start, POSTBACK.c.received_at < end)
            .where(*INSTALLS, POSTBACK.c.app_id.in_(apps), counts(self.settings), ~claimed)
            .order_by(POSTBACK.c.received_at, POSTBACK.c.id),
            execution_options={"yield_per": 10_000},
        )
        yield from map(self._of_ours, rows)

    def _only_by_id(self) -> Iterator[ColumnElement[bool]]:
        """Of a statement in which others have numbers, too, and may have ids beside them."""
        terms = self.view.terms
        if terms.by_id != terms.strata:
            theirs = [(app_id, network or NOTHING) for app_id, network in terms.by_id]
            named = tuple_(LINE.c.app_id, func.coalesce(LINE.c.ad_network_id, NOTHING))
            yield named.in_(theirs)

    def _postbacks(self) -> Select[Any]:
        names = ("postback_id", "received_at", "app_id", "ad_network_id", "version", "window")
        facts = ("verdict", "conversion_type", "did_win")
        return select(
            *(POSTBACK.c[name] for name in (*names, *facts)),
            qualifies(self.settings).label("counted"),
            forwarded(self.statement.destinations).label("forwarded"),
        ).select_from(POSTBACK)

    def _of_ours(self, row: Row[Any]) -> Held:
        return Held(
            postback_id=row.postback_id,
            received_at=row.received_at,
            app_id=row.app_id,
            ad_network_id=row.ad_network_id.lower(),
            version=row.version,
            window=row.window,
            standing=standing(row, self._believed),
            forwarded=bool(row.forwarded),
        )


def _claim(row: Row[Any]) -> Claim:
    return Claim(
        day=row.day,
        app_id=row.app_id,
        ad_network_id=row.ad_network_id,
        postback_id=row.postback_id,
        window=row.window,
        kind=row.kind,
        count=row._mapping["count"],  # a row has a method of that name
    )
