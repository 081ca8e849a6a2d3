"""Importing files: history keeps its times, and stopping costs nothing."""

import base64
import gzip
import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from skan_receiver.config import Settings
from skan_receiver.importing import ENDPOINTS, Imported, import_file, incoming
from skan_receiver.storage import Store, StoredPostback
from skan_receiver.testing import encode
from tests.receiving import NOON, Receiver

MARCH = datetime(2026, 3, 5, 6, 7, 8, tzinfo=UTC)


@pytest.fixture
def receiver(store: Store, store_url: str, tmp_path: Path) -> Receiver:
    """A receiver whose keys other processes can load."""
    keys = tmp_path / "keys.json"
    receiver = Receiver(store, Settings(database_url=store_url, keys=keys))
    keys.write_text(json.dumps(receiver.signer.production_keys()))
    return receiver


def run(path: Path, receiver: Receiver) -> tuple[Counter[str], list[tuple[int, str]]]:
    outcomes: Counter[str] = Counter()
    faults = []

    def progress(chunk: Imported, _size: int) -> None:
        outcomes.update(chunk.outcomes)
        faults.extend(chunk.faults)

    import_file(path, receiver.settings, progress, processes=2)
    return outcomes, faults


def envelope(content: bytes, **members: object) -> bytes:
    said = {
        "received_at": MARCH.isoformat(),
        "endpoint": "network",
        "body": base64.b64encode(content).decode(),
    }
    return json.dumps({**said, **members}).encode()


def test_a_file_is_imported_once(receiver: Receiver, tmp_path: Path) -> None:
    """Bodies and envelopes, gzipped; a second run finds everything done."""
    bodies = [encode(receiver.signer.skadnetwork("4.0")) for _ in range(5_000)]
    lines = [*bodies[:2_500], *(envelope(body) for body in bodies[2_500:])]
    path = tmp_path / "log.ndjson.gz"
    path.write_bytes(gzip.compress(b"\n".join(lines)))
    assert run(path, receiver)[0] == {"stored": 5_000}
    assert run(path, receiver)[0] == {"imported_before": 5_000}
    rows = receiver.rows(StoredPostback)
    assert Counter(row.verdict for row in rows) == {"valid": 5_000}
    assert Counter(row.received_at == MARCH for row in rows) == {True: 2_500, False: 2_500}
    assert {row.endpoint for row in rows} == {"network", "import"}


def test_a_bad_line_is_named_and_the_rest_imported(receiver: Receiver, tmp_path: Path) -> None:
    """A log is never perfect: each fault has its line, and nothing else is lost."""
    good = encode(receiver.signer.skadnetwork("4.0"))
    path = tmp_path / "log.ndjson"
    lines = [
        b"not json",
        envelope(good),
        b"",
        envelope(good, received_at="2026-01-01"),
        envelope(good, endpoint="nowhere"),
        b"x" * 200_000,
        envelope(good, body="%%%"),
        b'{"version": "9.0"}',
    ]
    path.write_bytes(b"\n".join(lines))
    outcomes, faults = run(path, receiver)
    assert outcomes == {"refused": 5, "stored": 1, "quarantined": 1}
    assert [line for line, _ in faults] == [1, 4, 5, 6, 7]
    assert "time zone" in faults[1][1]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (envelope(b"{}", received_at="0001-01-01T00:00:00+01:00"), "received_at.*2018"),
        (envelope(b"{}", received_at="2017-12-31T23:59:59Z"), "received_at.*2018"),
        (envelope(b"{}", received_at="2026-11-24T12:30:01Z"), "received_at.*future"),
        (envelope(b"{}", received_at="9999-12-31T23:59:59-01:00"), "received_at.*future"),
        (b'{"received_at":' + b"[" * 30_000, "deep"),
        (b'{"received_at": "\xff"}', "not an envelope"),
        (envelope(b"{}", body="\ud800"), "not an envelope"),
        (envelope(b"{}", endpoint="forwarded:a\0b"), "forwarded:<name>"),
        (envelope(b"{}", endpoint="forwarded:\ud800"), "forwarded:<name>"),
        (envelope(b"{}", endpoint="forwarded:"), "forwarded:<name>"),
        (envelope(b"{}", endpoint="forwarded:" + "a" * 41), "forwarded:<name>"),
        (envelope(b"{}", endpoint="ada"), "forwarded:<name>"),
        (envelope(b"{}", endpoint=["network"]), "forwarded:<name>"),
    ],
    ids=range(13),
)
def test_an_envelope_that_cannot_be_true_is_refused(line: bytes, fault: str) -> None:
    """Only its line is: anything but a ValueError would end the import."""
    with pytest.raises(ValueError, match=fault):
        incoming(line, NOON)


@pytest.mark.parametrize("endpoint", [*ENDPOINTS, "forwarded:a", "forwarded:my-mmp-2"])
def test_an_envelope_may_be_from_yesterday_or_a_little_ahead(endpoint: str) -> None:
    """Clocks differ; and all that the service itself receives can be imported."""
    for moment in ("2018-01-01T00:00:00Z", "2026-11-24T12:30:00Z"):
        line = envelope(b"{}", received_at=moment, endpoint=endpoint)
        assert incoming(line, NOON).endpoint == endpoint


def test_an_envelope_says_when_and_where() -> None:
    """Times are converted to UTC."""
    one = incoming(envelope(b"{}", received_at="2026-03-05T07:07:08+01:00"), NOON)
    assert (one.received_at, one.endpoint, one.body) == (MARCH, "network", b"{}")
