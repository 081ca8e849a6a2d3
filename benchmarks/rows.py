"""The postbacks behind a world's counts, written as receiving and delivering left them.

Signatures are of the right length and sign nothing: what is measured only reads them.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from benchmarks.bulk import put
from benchmarks.world import START, World
from skan_receiver.protocol import Framework, Verdict, identities
from skan_receiver.storage import Arrival, Delivery, Seen, Store, StoredPostback, months
from skan_receiver.storage.columns import table

BATCH = 50_000
SIGNATURE = "MEUCIQD" + "A" * 89
DESTINATION = "partner"
NAMES = {
    table(StoredPostback): (
        *("id", "identity", "received_at", "body", "signed_message", "verdict", "key_id"),
        *("reason", "framework", "version", "postback_id", "app_id", "ad_network_id", "window"),
        *("source_identifier", "conversion_type", "did_win", "fidelity_type", "fine_value"),
        *("coarse_value", "country", "flags", "endpoint"),
    ),
    table(Seen): ("key", "stored_id", "arrivals"),
    table(Arrival): (
        *("id", "identity", "stored_id", "received_at", "endpoint", "kind"),
        *("fine_value", "coarse_value"),
    ),
    table(Delivery): (
        *("id", "identity", "stored_id", "destination", "state", "attempts", "refusals"),
        *("replays", "next_at", "created_at", "settled_at"),
    ),
}


def write(fresh: Store, world: World, until: datetime) -> int:
    """Every postback up to `until`, with its arrival and a delivery; how many there are."""
    if not fresh.is_sqlite:
        month = (START + timedelta(days=31 * n) for n in range(13))
        fresh.write(lambda connection: months.ensure(connection, month))
    rows, done = _rows(world, until), 0
    while batch := list(islice(rows, BATCH)):
        for target, columns in zip(NAMES, zip(*batch, strict=True), strict=True):
            put(fresh, target, NAMES[target], columns)
        done += len(batch)
    return done


def _rows(world: World, until: datetime) -> Iterator[tuple[tuple[Any, ...], ...]]:
    last = (until - START) / timedelta(hours=1)
    number = 0
    counts = zip(world.hour.tolist(), world.cell.tolist(), world.n.tolist(), strict=True)
    for hour, cell, n in counts:
        if hour >= last:
            return
        for _ in range(n):
            number += 1
            at = START + timedelta(hours=hour, seconds=number % 3600)
            yield _row(number, world.cells[cell], at)


def _row(number: int, cell: dict[str, Any], at: datetime) -> tuple[tuple[Any, ...], ...]:
    moment = f"{at:%Y-%m-%d %H:%M:%S.000000}"
    framework, window = Framework(cell["framework"]), cell["window"]
    id_ = f"{number * 2654435761 % 2**32:08x}-0000-4000-8000-{number:012x}"
    identity = _identity(id_, framework, window, Verdict(cell["verdict"]))
    fine, coarse = cell["fine_value"], cell["coarse_value"] or None
    fine = None if fine < 0 else fine
    source = f"{number * 7919 % 10_000:04d}"
    body = json.dumps({**cell, "transaction-id": id_, "source": source, "signature": SIGNATURE})
    signed = "\u2063".join((cell["version"], id_, cell["ad_network_id"], str(cell["app_id"])))
    postback = (
        *(number, identity, moment, body.encode(), signed.encode(), cell["verdict"], "p256"),
        *("", framework.value, cell["version"], id_, cell["app_id"], cell["ad_network_id"]),
        *(window, source, cell["conversion_type"], cell["did_win"], 1, fine, coarse, None),
        *("", "network"),
    )
    arrival = (number, identity, number, moment, "network", "standing", fine, coarse)
    delivery = (number, identity, number, DESTINATION, "done", 1, 0, 0, moment, moment, moment)
    return postback, (identity, number, 1), arrival, delivery


def _identity(id_: str, framework: Framework, window: int, verdict: Verdict) -> bytes:
    places = [(f, w) for f in Framework for w in range(3)]
    return identities(id_, [verdict])[places.index((framework, window))]
