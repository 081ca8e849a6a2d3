"""`export` and `analytics`, as one types them."""

import csv
import json
from io import StringIO
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from skan_receiver.cli import cli
from skan_receiver.storage import Store
from tests.cli.conftest import Run
from tests.receiving import Receiver
from tests.reports.analytics.world import filled


@pytest.fixture
def environment(sqlite_url: str, tmp_path: Path) -> dict[str, str]:
    """A store with some postbacks, and where its export belongs."""
    store = Store(sqlite_url)
    filled(store, 20)
    store.close()
    return {"DATABASE_URL": sqlite_url, "SKAN_ANALYTICS_EXPORT": str(tmp_path / "export")}


def run(environment: dict[str, str], *arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments, env=environment)


def test_an_export_is_written_once(environment: dict[str, str]) -> None:
    """The second time there is nothing to do, and both say so."""
    first, second = run(environment, "export"), run(environment, "export")

    assert first.stdout.startswith("21 postbacks in 4 files written, 0 files removed")
    assert second.stdout == "0 postbacks in 0 files written, 0 files removed, 4 as they were\n"


def test_an_expression_is_printed(environment: dict[str, str]) -> None:
    """As a table for people, and as rows for programs."""
    run(environment, "export")
    table = run(environment, "analytics", "volumes", "--by", "month").stdout
    rows = run(environment, "analytics", "volumes", "--by", "month", "--format", "json").stdout
    lines = run(environment, "analytics", "volumes", "--by", "month", "--format", "csv").stdout

    assert "2026-03-01   21" in table
    assert json.loads(rows)["postbacks"] == 21
    assert next(csv.DictReader(StringIO(lines)))["month"] == "2026-03-01"


def test_a_spreadsheet_runs_no_cell(environment: dict[str, str], tmp_path: Path) -> None:
    """A stranger's text is text; the file is whole, or not there."""
    store = Store(environment["DATABASE_URL"])
    receiver = Receiver(store)
    receiver.receive({**receiver.signer.skadnetwork("3.0"), "transaction-id": "=1+1"})
    store.close()
    path = tmp_path / "all.csv"
    told = run(environment, "export", str(path), "--format", "csv").stdout
    rows = list(csv.DictReader(StringIO(path.read_text())))

    assert told == f"{len(rows)} postbacks written to {path}\n"
    assert rows[-1]["postback_id"] == "'=1+1"
    assert rows[-1]["fine_value"] == ""


def test_their_names_go_to_standard_output(environment: dict[str, str]) -> None:
    """For a pipe: nothing but the rows."""
    out = run(environment, "export", "-", "--format", "csv", "--names", "appsflyer").stdout
    rows = list(csv.DictReader(StringIO(out)))

    assert rows
    assert {row["app_id"] for row in rows} <= {"id42", "id7"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["export", "x.csv", "--format", "csv", "--raw"], "a CSV file holds no bytes"),
        (["export", "--format", "csv"], "name a file for --format csv"),
        (["export", "--from", "soon"], "'soon' is no date"),
        (["analytics", "volume"], "'volume' is none of: volumes"),
    ],
)
def test_wrong_use_is_told(
    environment: dict[str, str], arguments: list[str], said: str
) -> None:  # fmt: skip
    """Exit status 2, and the remedy."""
    done = run(environment, *arguments)
    assert done.exit_code == 2
    assert said in done.stderr


def test_where_nothing_can_be_written_is_told(run: Run, sqlite_url: str, tmp_path: Path) -> None:
    """In one line each, with the remedy."""
    store = Store(sqlite_url)
    filled(store, 3)
    store.close()
    (tmp_path / "file").touch()
    for arguments, remedy in (
        (("export", "file"), "is no folder to write to (File exists); name another one"),
        (("export", "gone/a.csv", "--format", "csv"), "name a file in a folder of yours"),
        (("analytics", "volumes", "--url", "nonsense://x"), "'nonsense' is no engine; write a URL"),
    ):
        done = run(*arguments)
        assert (done.status, remedy in done.err, done.err.count("\n")) == (2, True, 1)
