"""The worker's estimates: a process of its own, when it is time, that ends with the worker."""

import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from skan_receiver.config import Settings
from skan_receiver.estimating.process import Estimator
from skan_receiver.storage import EstimateRun, EstimateTurn, Store
from skan_receiver.storage.schemas import Publication, publish
from tests.delivery.test_worker import eventually
from tests.estimating.stored import SCHEMA
from tests.receiving import NOON, Receiver

# As where scipy is not installed.
WITHOUT = """
import importlib.util, sys, threading
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name == "scipy" else found(name, *more)
from skan_receiver.config import load
from skan_receiver.estimating.process import Estimator
from skan_receiver.reports import REPORTS, Written
from skan_receiver.storage import Store
settings, store = load(), Store(load().database)
job = Estimator(store, settings, threading.Event(), first=0)
job.step()
job.step()
from datetime import UTC, datetime
report = REPORTS["revenue"]
with store.read() as connection:
    (row,) = report.rows(connection, report.asked(Written(by=["window"]).read(datetime.now(UTC))))
print(row.postbacks, row.note)
assert "numpy" not in sys.modules
"""


def some(store: Store) -> Receiver:
    """A few postbacks of these days."""
    receiver = Receiver(store)
    receiver.now = datetime.now(UTC)
    publish(store, Publication(SCHEMA), NOON)
    receiver.receive(*(receiver.signer.skadnetwork("4.0", app_id=42) for _ in "1234"))
    receiver.settle()
    return receiver


def stepping(store: Store, settings: Settings) -> tuple[threading.Thread, threading.Event]:
    stop = threading.Event()
    job = Estimator(store, settings, stop, first=0)
    thread = threading.Thread(target=job.step)
    thread.start()
    return thread, stop


def test_it_estimates_when_it_is_time(store: Store, store_url: str, tmp_path: Path) -> None:
    """Then not again before that."""
    receiver = some(store)
    settings = Settings(database_url=store_url, var=tmp_path)
    for _ in range(2):
        thread, _stop = stepping(store, settings)
        thread.join(60)
        (turn,) = receiver.rows(EstimateTurn)
        assert turn.done_at is not None
        assert turn.holder == ""
    runs = receiver.rows(EstimateRun)
    assert [run.what for run in runs] == ["revenue", "installs"]
    assert runs[0].seen == runs[1].seen


def test_zero_hours_are_never(store: Store, store_url: str, tmp_path: Path) -> None:
    """Whoever wants none has none."""
    receiver = some(store)
    thread, _ = stepping(store, Settings(database_url=store_url, var=tmp_path, estimate_hours=0))
    thread.join(10)
    assert receiver.rows(EstimateTurn) == []


def test_it_ends_with_the_worker(store: Store, store_url: str, tmp_path: Path) -> None:
    """At once, nicely, and so that another may begin at once."""
    receiver = some(store)
    thread, stop = stepping(store, Settings(database_url=store_url, var=tmp_path))
    eventually(lambda: any(row.holder for row in receiver.rows(EstimateTurn)))
    begun = time.monotonic()
    stop.set()
    thread.join(20)

    assert time.monotonic() - begun < 5
    (turn,) = receiver.rows(EstimateTurn)
    assert turn.holder == ""


def test_without_scipy_all_else_works(store: Store, store_url: str, tmp_path: Path) -> None:
    """The log says once what is missing, and the report what to do; nobody loads numpy for it."""
    some(store)

    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", WITHOUT],
        env={"DATABASE_URL": store_url, "SKAN_VAR": str(tmp_path), "PYTHONPATH": "."},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.count("no estimates") == 1
    assert "4 app 42, window 0: estimates need numpy and scipy" in done.stdout
