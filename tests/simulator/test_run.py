"""A scenario from end to end: into a file, into a store, and never to be mistaken for Apple's."""

import base64
import json
from collections import Counter
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from skan_receiver.config import Settings
from skan_receiver.importing import Imported, import_file, incoming
from skan_receiver.ingest import NOT_SIMULATED, Incoming, Ingest, Outcome
from skan_receiver.protocol import Keys, examine
from skan_receiver.settle import settle
from skan_receiver.simulator.arrivals import ARRIVAL
from skan_receiver.simulator.keys import PUBLIC, Pems, make_keys
from skan_receiver.simulator.run import Run
from skan_receiver.simulator.scenario import LAYOUTS
from skan_receiver.simulator.spool import Spool
from skan_receiver.storage import Store, StoredPostback
from skan_receiver.testing import Signer, encode
from tests.receiving import NOON, Receiver
from tests.simulator.worlds import world

EVERYTHING = {
    "apple": {"mix": dict.fromkeys(LAYOUTS, 1.0), "duplicates": 0.05, "losers": {"1": 0.2}},
    "adversary": dict.fromkeys(("invalid", "replayed", "changed", "foreign", "broken"), 0.02),
    "days": 4,
}
CAMPAIGNS = ({"daily": 80, "re_engagements": 10}, {"network": "two.skadnetwork", "daily": 20})


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a key pair."""
    folder = tmp_path_factory.mktemp("keys")
    make_keys(folder)
    return folder


@pytest.fixture
def pems(keys: Path) -> Pems:
    return make_keys(keys)


def lines(run: Run) -> list[bytes]:
    return b"".join(run.envelopes()).splitlines()


def told(pems: Pems, seed: int = 1, processes: int = 2) -> Run:
    return Run(world(*CAMPAIGNS, seed=seed, **EVERYTHING), pems, processes=processes)


def test_one_seed_gives_one_file(pems: Pems) -> None:
    """Byte for byte, on one process or on two; another seed gives another."""
    once = lines(told(pems))
    assert lines(told(pems, processes=1)) == once
    assert lines(told(pems, seed=2)) != once


def test_keys_are_made_once_and_for_their_owner(tmp_path: Path) -> None:
    """The private ones are nobody else's to read."""
    first = make_keys(tmp_path / "keys")
    assert make_keys(tmp_path / "keys") == first
    for curve in first:
        assert (tmp_path / "keys" / f"{curve}.pem").stat().st_mode & 0o777 == 0o600


def test_the_file_is_in_the_order_of_arrival(pems: Pems) -> None:
    """As a server's log would be."""
    times = [json.loads(line)["received_at"] for line in lines(told(pems))]
    assert times == sorted(times)


def test_every_layout_is_genuine_under_the_test_key(pems: Pems, keys: Path) -> None:
    """Only what the adversary spoiled is not; and Apple's keys alone believe none of it."""
    trusted = Keys.load(None, keys / PUBLIC)
    verdicts: Counter[tuple[str, str]] = Counter()
    layouts = set()
    for line in lines(told(pems)):
        envelope = json.loads(line)
        body = base64.b64decode(envelope["body"])
        seen = examine(body, trusted)
        verdicts[envelope["endpoint"], seen.verdict] += 1
        layouts.add(seen.version if seen.framework != "adattributionkit" else seen.framework)
        assert examine(body).verdict in ("invalid", "unverifiable", "malformed")
    assert verdicts.keys() == {
        ("simulator", "development"),
        ("import", "invalid"),
        ("import", "malformed"),
    }
    assert layouts - {None} == set(LAYOUTS)


@pytest.fixture
def path(pems: Pems, tmp_path: Path) -> Path:
    path = tmp_path / "simulated.ndjson"
    path.write_bytes(b"\n".join(lines(told(pems))))
    return path


def imported(path: Path, settings: Settings) -> tuple[Counter[str], set[str]]:
    outcomes: Counter[str] = Counter()
    faults: set[str] = set()

    def progress(chunk: Imported, _size: int) -> None:
        outcomes.update(chunk.outcomes)
        faults.update(reason for _, reason in chunk.faults)

    import_file(path, settings, progress, processes=2)
    return outcomes, faults


def test_a_sandbox_that_trusts_the_key_counts_at_the_simulated_times(
    path: Path, keys: Path, store: Store, store_url: str
) -> None:
    """June's postbacks are June's; copies, repetitions and changed values count once."""
    settings = Settings(database_url=store_url, test_keys=keys / PUBLIC, sandbox=True)
    outcomes, _ = imported(path, settings)
    assert outcomes["stored"] > 400
    assert outcomes["duplicate"] > 0
    assert outcomes["conflict"] > 0
    receiver = Receiver(store, settings)
    receiver.settle()
    cells = receiver.counts()
    counted = sum(cell.n for cell in cells if cell.counted)
    rows = receiver.rows(StoredPostback)
    assert counted == sum(row.verdict == "development" for row in rows)
    assert {cell.hour.year for cell in cells} == {2026}
    assert min(cell.hour for cell in cells) < datetime.fromisoformat("2026-06-04T00:00:00Z")


@pytest.mark.parametrize("sandbox", [False, True])
def test_without_the_key_nothing_is_valid_and_nothing_counts(
    path: Path, store: Store, store_url: str, *, sandbox: bool
) -> None:
    """Not even in a sandbox: made-up times are refused, and the rest is invalid."""
    settings = Settings(database_url=store_url, sandbox=sandbox)
    outcomes, faults = imported(path, settings)
    assert outcomes["refused"] > 400
    assert NOT_SIMULATED in faults
    receiver = Receiver(store, settings)
    receiver.settle()
    assert {row.verdict for row in receiver.rows(StoredPostback)} <= {"invalid", "unverifiable"}
    assert not any(cell.counted for cell in receiver.counts())


def test_sent_to_a_server_that_does_not_trust_the_key_none_is_valid(
    path: Path, store: Store
) -> None:
    """Over HTTP they come as anybody's: kept as what they are, counted by no report."""
    settings = Settings(sandbox=True)
    ingest = Ingest(store, settings, Keys.load())
    bodies = [incoming(line, NOON).body for line in path.read_bytes().splitlines()]
    results = ingest([Incoming(NOON, "network", body) for body in bodies])
    assert {result.verdict for result in results} == {"invalid", "unverifiable", None}
    while settle(store, settings, NOON):
        pass
    assert not any(cell.counted for cell in Receiver(store, settings).counts())


def test_made_up_times_are_for_test_keys_only(store: Store) -> None:
    """A genuine postback, valid or Apple's development one, cannot be given another time."""
    signer = Signer(seed=1)
    body = encode(signer.skadnetwork())
    for keys, outcome in (
        (signer.keys(), Outcome.STORED),
        (signer.keys(production=True), Outcome.REFUSED),
    ):
        (result,) = Ingest(store, Settings(), keys)([Incoming(NOON, "simulator", body)])
        assert result.outcome is outcome


def test_a_day_that_nothing_comes_on_is_no_trouble(tmp_path: Path) -> None:
    """Just after midnight the last of the days may have nothing yet."""
    spool = Spool(tmp_path)
    spool.add(np.empty(0, ARRIVAL))
    assert spool.taken == 0
    assert list(spool.days()) == []
