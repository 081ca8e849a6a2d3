"""`ingest --dry-run`: a file is looked into before it is imported."""

import gzip
import json
from pathlib import Path

from skan_receiver.storage import Store, StoredPostback
from tests.cli.conftest import Run
from tests.protocol import apple
from tests.receiving import Receiver

BODIES = [json.dumps(body).encode() for body in apple.BODIES.values()]


def stored(url: str) -> int:
    store = Store(url)
    rows = Receiver(store).rows(StoredPostback)
    store.close()
    return len(rows)


def test_a_dry_run_says_what_an_import_would_do(run: Run, tmp_path: Path, sqlite_url: str) -> None:
    """Nothing is stored by it; the import then stores as many as it said."""
    (tmp_path / "log.ndjson").write_bytes(b"\n".join([*BODIES, BODIES[0], b"not json"]))
    looked = run("ingest", "--dry-run", "--json", "log.ndjson")
    (said,) = looked.lines
    assert (said["file"], said["lines"], said["refused"]) == ("log.ndjson", 15, 1)
    assert (said["verdicts"]["valid"], said["verdicts"]["development"]) == (8, 1)
    assert said["unreadable"][-1]["line"] == 15
    assert looked.status == 1
    assert stored(sqlite_url) == 0
    (done,) = run("ingest", "log.ndjson").lines
    assert done["stored"] == said["new"] == 7  # of three more, another has the id
    (again,) = run("ingest", "--dry-run", "--json", "log.ndjson").lines
    assert again["new"] == 0


def test_people_are_told_in_tables(run: Run, tmp_path: Path) -> None:
    """Counts, what is wrong with which line, and what values mean."""
    (tmp_path / "log.ndjson").write_bytes(BODIES[0] + b"\nnot json\n")
    done = run("ingest", "--dry-run", "log.ndjson")
    for said in ("nothing of it is stored", "line 2: ", "no schema", "new "):
        assert said in done.out, said


def test_a_gzip_that_was_cut_short_is_one_line(run: Run, tmp_path: Path) -> None:
    """The file is named, dry or not: no traceback."""
    (tmp_path / "cut.gz").write_bytes(gzip.compress(b"\n".join(BODIES))[:-20])
    for options in ((), ("--dry-run",)):
        done = run("ingest", *options, "cut.gz")
        assert done.status == 1
        assert "cut.gz: the file is no whole gzip" in done.err
        assert len(done.err.splitlines()) == 1
