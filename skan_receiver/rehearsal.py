"""What importing a file would do, without doing it: nothing is written, no URL is changed."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from sqlalchemy import select

from skan_receiver.config import Settings
from skan_receiver.conversion import Decoded
from skan_receiver.importing import incoming
from skan_receiver.ingest import Ingest, Result, Unreadable
from skan_receiver.logfile import lines_of
from skan_receiver.protocol import Keys
from skan_receiver.storage import Registered, Seen, Store
from skan_receiver.storage.columns import table
from skan_receiver.storage.meanings import Arrived, Book, Readings
from skan_receiver.storage.place import Candidate
from skan_receiver.storage.schemas import history

SEEN, REGISTERED = table(Seen), table(Registered)

PIECE = 500  # keys asked for at once
MOST_LINES = 200_000
SHOWN = 200  # lines and reasons that are told one by one


@dataclass(frozen=True, slots=True)
class Line:
    """A line that is a postback."""

    number: int
    row: dict[str, Any]
    is_known: bool  # stored already
    is_repeated: bool  # there was the same further up
    says: str  # what its value means

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "line": self.number,
            "postback_id": self.row["postback_id"],
            "verdict": self.row["verdict"],
            "known": self.is_known,
            "repeated": self.is_repeated,
            "meaning": self.says,
        }


@dataclass
class Rehearsal:
    """What is in a file, and what importing it would do."""

    lines: int = 0
    postbacks: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)  # verdict, why
    unreadable: list[tuple[int, str]] = field(default_factory=list)
    refused: int = 0  # lines that are nothing we keep
    quarantined: int = 0  # JSON that cannot be read, and would be kept as it is
    known: int = 0
    repeated: int = 0
    apps: Counter[int] = field(default_factory=Counter)
    networks: Counter[str] = field(default_factory=Counter)
    meanings: Counter[tuple[int, int, str, str]] = field(default_factory=Counter)
    shown: list[Line] = field(default_factory=list)
    not_ours: frozenset[str] = frozenset()
    is_whole: bool = True  # False: only the first MOST_LINES were looked at

    @property
    def new(self) -> int:
        """How many postbacks importing would store."""
        return self.postbacks - self.known - self.repeated

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "lines": self.lines,
            "postbacks": self.postbacks,
            "new": self.new,
            "known": self.known,
            "repeated": self.repeated,
            "quarantined": self.quarantined,
            "refused": self.refused,
            "verdicts": dict(self.verdicts),
            "reasons": [
                {"verdict": verdict, "reason": why, "lines": n}
                for (verdict, why), n in self.reasons.most_common(SHOWN)
            ],
            "unreadable": [{"line": n, "reason": why} for n, why in self.unreadable],
            "apps": {str(app): n for app, n in self.apps.most_common(SHOWN)},
            "networks": dict(self.networks.most_common(SHOWN)),
            "not_ours": sorted(self.not_ours),
            "meanings": [
                {"app_id": app, "window": window, "value": value, "meaning": says, "lines": n}
                for (app, window, value, says), n in self.meanings.most_common(SHOWN)
            ],
            "first": [one.as_dict() for one in self.shown],
            "is_whole": self.is_whole,
        }


def rehearse(path: Path, store: Store, settings: Settings, keys: Keys, now: datetime) -> Rehearsal:
    """Look at every line of NDJSON, gzipped or not. Reads the store, and writes nothing."""
    ingest = Ingest(store, settings, keys)
    found = Rehearsal()
    with store.read() as connection:
        book = Book(history(connection))
    seen: set[bytes] = set()
    lines = iter(_read(path, ingest, found, now))
    while piece := list(islice(lines, PIECE)):
        _look(store, piece, book, seen, found)
    return _told_of_ours(store, found)


def _read(
    path: Path, ingest: Ingest, found: Rehearsal, now: datetime
) -> Iterable[tuple[int, Candidate]]:
    for number, line in enumerate(lines_of(path), 1):
        if found.lines == MOST_LINES:
            found.is_whole = False
            return
        if not line.strip():
            continue
        found.lines += 1
        try:
            one = ingest.read(incoming(line, now))
        except ValueError as fault:
            _fault(found, number, str(fault))
            found.refused += 1
            continue
        if isinstance(one, Result):
            found.refused += 1
            _fault(found, number, one.reason)
        elif isinstance(one, Unreadable):
            found.quarantined += 1
            _fault(found, number, str(one.fault))
        else:
            yield number, one


def _fault(found: Rehearsal, number: int, why: str) -> None:
    if len(found.unreadable) < SHOWN:
        found.unreadable.append((number, why))


def _look(
    store: Store,
    piece: Sequence[tuple[int, Candidate]],
    book: Book,
    seen: set[bytes],
    found: Rehearsal,
) -> None:
    keys = [one.key for _, one in piece]
    with store.read() as connection:
        known = set(connection.scalars(select(SEEN.c.key).where(SEEN.c.key.in_(keys))))
    for number, one in piece:
        row = one.row
        is_repeated = one.key in seen
        seen.add(one.key)
        found.postbacks += 1
        found.repeated += is_repeated
        found.known += one.key in known and not is_repeated
        found.verdicts[row["verdict"]] += 1
        if row["reason"]:
            found.reasons[row["verdict"], row["reason"]] += 1
        found.apps[row["app_id"]] += 1
        found.networks[row["ad_network_id"].lower()] += 1
        says = _says(book.read(Arrived.of(SimpleNamespace(**row), one.received_at)))
        value = row["coarse_value"] if row["fine_value"] is None else row["fine_value"]
        shown = "–" if value is None else str(value)
        found.meanings[row["app_id"], row["window"], shown, says] += 1
        if len(found.shown) < SHOWN:
            found.shown.append(Line(number, dict(row), one.key in known, is_repeated, says))


def _says(readings: Readings) -> str:
    """What a value means; where several versions come into question, each with its share."""
    if not readings:
        return "no schema"
    told = [(_labelled(one.decoded), one.share) for one in readings]
    if len({text for text, _ in told}) == 1:
        return told[0][0]
    return " or ".join(f"{text} ({share})" for text, share in told)


def _labelled(decoded: Decoded) -> str:
    label = decoded.meaning.label if decoded.meaning else ""
    return f"{label}: {decoded}" if label else str(decoded)


def _told_of_ours(store: Store, found: Rehearsal) -> Rehearsal:
    """With the apps and networks that nobody registered, where some are."""
    with store.read() as connection:
        rows = connection.execute(select(REGISTERED.c.kind, REGISTERED.c.value)).all()
    for kind, values in (("app", map(str, found.apps)), ("ad-network", iter(found.networks))):
        ours = {row.value for row in rows if row.kind == kind}
        if ours:
            found.not_ours |= {value for value in values if value not in ours}
    return found
