"""Bytes in, rows out: parse, verify, and one durable transaction for everything that came together.

Knows no destinations, schemas or counts: it leaves a `fresh` row, and `settle` does the rest.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import structlog
from sqlalchemy import Connection

from skan_receiver.config import Settings
from skan_receiver.errors import Malformed, NotJson
from skan_receiver.protocol import Judgement, Keys, Postback, Verdict, identity, judge, parse
from skan_receiver.storage import GroupCommit, Quarantined, Store, caps
from skan_receiver.storage.columns import table
from skan_receiver.storage.place import Candidate, Outcome, place
from skan_receiver.storage.predicate import VOUCHED

QUARANTINE = table(Quarantined)

# What follows "forwarded:" in an endpoint; it becomes a column and a metric's label.
FORWARDER_NAME = re.compile("[a-z0-9][a-z0-9-]{0,39}")

log = structlog.get_logger("ingest")

__all__ = ["Incoming", "Ingest", "Outcome", "Result", "candidate", "judged"]


@dataclass(frozen=True, slots=True)
class Incoming:
    """A body as it came: `body` in Apple's form, `verbatim` where a forwarder wrote it otherwise.

    `endpoint` is `network`, `developer`, `forwarded:<name>`, `import` or `simulator`.
    `claims` is JSON text: what a forwarder added. `sealed_ip` is the device's address, encrypted,
    for relays that need it: it waits with the `fresh` row and is kept nowhere else.
    """

    received_at: datetime
    endpoint: str
    body: bytes
    verbatim: bytes | None = None
    claims: str | None = None
    sealed_ip: bytes | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a body; `stored_id` is its row in `postback`, where it has one."""

    outcome: Outcome
    stored_id: int | None = None
    verdict: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A body for the quarantine."""

    incoming: Incoming
    fault: Malformed


Read = Candidate | Unreadable


class Ingest:
    """Takes batches from any number of threads; concurrent ones share a commit."""

    def __init__(self, store: Store, settings: Settings, keys: Keys) -> None:
        self._store, self._settings, self._keys = store, settings, keys
        self._commit: GroupCommit[Read, Result] = GroupCommit(self._write)

    def __call__(self, batch: Sequence[Incoming]) -> Sequence[Result]:
        """Keep a batch. What is kept is durable when this returns.

        Bodies that are not JSON are refused, each for itself. Raises StoreUnavailable
        when nothing could be kept: then nothing of the batch is.
        """
        read = [self.read(incoming) for incoming in batch]
        kept = [one for one in read if not isinstance(one, Result)]
        results = iter(self._commit(kept) if kept else ())
        return [one if isinstance(one, Result) else next(results) for one in read]

    def _write(self, batch: Sequence[Read]) -> Sequence[Result]:
        results = self._store.write(partial(write, settings=self._settings, batch=batch))
        log.info(
            "kept",
            outcomes=Counter(result.outcome.value for result in results),
            ids=[result.stored_id for result in results],
        )
        return results

    def read(self, incoming: Incoming) -> Read | Result:
        """Parse and judge, without writing; a Result where there is nothing to write."""
        try:
            postback = parse(incoming.body)
        except NotJson as fault:
            return Result(Outcome.REFUSED, reason=str(fault))
        except Malformed as fault:
            return Unreadable(incoming, fault)
        judgement = judge(postback, self._keys)
        if incoming.endpoint == SIMULATOR and not _simulated(judgement):
            return Result(Outcome.REFUSED, verdict=judgement.verdict.value, reason=NOT_SIMULATED)
        return candidate(incoming, postback, judgement)


# The times of simulated postbacks are made up: none may pass for one that came when it says.
SIMULATOR = "simulator"
NOT_SIMULATED = (
    "not signed by a test key that is trusted here (SKAN_TEST_KEYS), "
    "so it cannot come from the simulator"
)


def _simulated(judgement: Judgement) -> bool:
    return judgement.verdict is Verdict.DEVELOPMENT and judgement.key_id.startswith("test/")


def candidate(incoming: Incoming, postback: Postback, judgement: Judgement) -> Candidate:
    """A judged postback as a row, under its identity."""
    return Candidate(
        key=identity(postback, judgement.verdict),
        row=judged(postback, judgement),
        endpoint=incoming.endpoint,
        received_at=incoming.received_at,
        verbatim=incoming.verbatim,
        claims=incoming.claims,
        sealed_ip=incoming.sealed_ip,
    )


def judged(postback: Postback, judgement: Judgement) -> dict[str, Any]:
    """The columns of `postback` that a body and a key table decide."""
    return {
        "body": postback.body,
        "signed_message": postback.signature.message,
        "verdict": judgement.verdict.value,
        "key_id": judgement.key_id,
        "reason": judgement.reason,
        "framework": postback.framework.value,
        "version": postback.version,
        "postback_id": postback.id,
        "app_id": postback.app_id,
        "ad_network_id": postback.ad_network_id,
        "window": postback.window,
        "campaign_id": postback.campaign_id,
        "source_identifier": postback.source_identifier,
        "conversion_type": postback.conversion_type,
        "did_win": postback.did_win,
        "fidelity_type": postback.fidelity_type,
        "source_app_id": postback.source_app_id,
        "source_domain": postback.source_domain,
        "marketplace_id": postback.marketplace_id,
        "impression_type": postback.impression_type,
        "fine_value": postback.fine_value,
        "coarse_value": postback.coarse_value,
        "country": postback.country,
        "interaction_type": postback.interaction_type,
        "flags": " ".join(postback.flags),
        "collides_with": None,
        "supersedes": None,
    }


def write(connection: Connection, *, settings: Settings, batch: Sequence[Read]) -> list[Result]:
    """Write what was read, in one transaction; a result for each, in order."""
    results: dict[int, Result] = {}
    admitted: list[tuple[int, Candidate]] = []
    unreadable: list[tuple[int, Unreadable]] = []
    for position, one in enumerate(batch):
        if isinstance(one, Unreadable):
            unreadable.append((position, one))
        else:
            admitted.append((position, one))
    admitted = _admit(connection, settings, admitted, results)
    _place(connection, admitted, results)
    _quarantine(connection, settings, unreadable, results)
    return [results[position] for position in range(len(batch))]


def _admit(
    connection: Connection,
    settings: Settings,
    candidates: list[tuple[int, Candidate]],
    results: dict[int, Result],
) -> list[tuple[int, Candidate]]:
    """Leave out what nobody vouches for where its cap is reached."""
    if all(one.row["verdict"] in VOUCHED for _, one in candidates):
        return candidates
    room = caps.room(
        connection, "invalid", rows=settings.invalid_rows, bytes=settings.invalid_bytes
    )
    admitted = []
    for position, one in candidates:
        if one.row["verdict"] in VOUCHED or room.admit(len(one.row["body"])):
            admitted.append((position, one))
        else:
            results[position] = Result(
                Outcome.DROPPED, verdict=one.row["verdict"], reason="invalid postbacks are at a cap"
            )
    return admitted


def _place(
    connection: Connection, candidates: list[tuple[int, Candidate]], results: dict[int, Result]
) -> None:
    if not candidates:
        return
    placed = place(connection, [one for _, one in candidates])
    sizes = []
    for (position, one), (outcome, stored_id) in zip(candidates, placed, strict=True):
        verdict = one.row["verdict"]
        results[position] = Result(outcome, stored_id, verdict, one.row["reason"])
        if verdict not in VOUCHED and outcome in (Outcome.STORED, Outcome.COLLISION):
            sizes.append(len(one.row["body"]))
    caps.record(connection, "invalid", sizes)


def _quarantine(
    connection: Connection,
    settings: Settings,
    unreadable: list[tuple[int, Unreadable]],
    results: dict[int, Result],
) -> None:
    by_kind: defaultdict[str, list[tuple[int, Unreadable]]] = defaultdict(list)
    for position, one in unreadable:
        by_kind[caps.quarantine(one.incoming.endpoint)].append((position, one))
    for kind in sorted(by_kind):  # in order, so that no two wait in a circle
        rows, size = settings.quarantine_caps[kind]
        room = caps.room(connection, kind, rows=rows, bytes=size)
        kept = []
        for position, one in by_kind[kind]:
            fits = room.admit(_size(one))
            outcome = Outcome.QUARANTINED if fits else Outcome.DROPPED
            results[position] = Result(outcome, reason=str(one.fault))
            if fits:
                kept.append(one)
        if kept:
            connection.execute(QUARANTINE.insert(), [_quarantined(one) for one in kept])
        caps.record(connection, kind, map(_size, kept))


def _size(one: Unreadable) -> int:
    return caps.size_of(one.incoming.body, one.incoming.verbatim, one.incoming.claims)


def _quarantined(one: Unreadable) -> dict[str, Any]:
    return {
        "received_at": one.incoming.received_at,
        "endpoint": one.incoming.endpoint,
        "reason": one.fault.reason,
        "member": one.fault.member,
        "body": one.incoming.body,
        "verbatim": one.incoming.verbatim,
        "claims": one.incoming.claims,
    }
