"""Where a simulated run goes: a file, a URL, a database."""

import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from skan_receiver.cli.context import load_keys, open_store
from skan_receiver.cli.output import show
from skan_receiver.config import Settings
from skan_receiver.errors import ConfigurationError
from skan_receiver.importing import Imported, import_file
from skan_receiver.protocol import Verdict, parse, verify
from skan_receiver.simulator.clock import Clock
from skan_receiver.simulator.keys import PUBLIC, signer
from skan_receiver.simulator.run import Run, Totals
from skan_receiver.simulator.sender import Sender


def keys_folder(settings: Settings) -> Path:
    """Where the simulator's keys are."""
    return settings.var / "simulator"


def to_file(run: Run, to: str) -> None:
    """Envelopes, for `ingest`."""
    with click.open_file(to, "wb", atomic=to != "-") as file, bar(run):
        for lines in run.envelopes():
            file.write(lines)


def to_url(run: Run, url: str, path: str, speed: float) -> Sender:
    """Requests, now, in the order of the scenario's time."""
    sender = Sender(url, run.world.scenario, Clock(speed), path=path)
    with bar(run):
        sender.send(run.requests(), lambda _: None)
    return sender


def to_database(run: Run, settings: Settings, processes: int = 0) -> Counter[str]:
    """As a file that is imported. The times it speaks of are believed of test keys alone."""
    _, store = open_store(settings)
    store.close()
    if not _believed(run, settings):
        raise ConfigurationError(
            "the simulator's keys are not trusted here; set "
            f"SKAN_TEST_KEYS={keys_folder(settings) / PUBLIC}"
        )
    outcomes: Counter[str] = Counter()

    def progress(chunk: Imported, _size: int) -> None:
        outcomes.update(chunk.outcomes)

    with tempfile.TemporaryDirectory(prefix="skan-simulator-") as folder:
        path = Path(folder) / "postbacks.ndjson"
        to_file(run, str(path))
        import_file(path, settings, progress, processes)
    return outcomes


def _believed(run: Run, settings: Settings) -> bool:
    keys, apple = load_keys(settings), signer(run.pems)
    bodies = apple.skadnetwork(), apple.adattributionkit()
    return all(verify(parse(body), keys) is Verdict.DEVELOPMENT for body in bodies)


@contextmanager
def bar(run: Run) -> Iterator[None]:
    """A bar on a terminal, none in a pipe."""
    shown: Any = click.progressbar(
        length=1, label="simulating", file=sys.stderr, hidden=not sys.stderr.isatty()
    )

    def progress(done: int, of: int) -> None:
        shown.length = of  # known when all days are simulated
        shown.update(done)

    with shown:
        run.progress = progress
        yield


def show_totals(totals: Totals, *, as_json: bool) -> None:
    """What a run was made of."""
    rows: list[dict[str, Any]] = [
        {"what": "conversions", "of": kind, "tier": None, "n": n}
        for kind, n in sorted(totals.conversions.items())
    ]
    rows += [
        {"what": f"postbacks {won}", "of": layout, "tier": tier or None, "n": n}
        for (layout, tier, won), n in sorted(totals.postbacks.items())
    ]
    rows += [
        {"what": "arrivals", "of": kind, "tier": None, "n": n}
        for kind, n in sorted(totals.arrivals.items())
    ]
    show(rows, ("what", "of", "tier", "n"), as_json=as_json)
