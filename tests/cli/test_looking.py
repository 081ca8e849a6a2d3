"""`keys`, `users` and `report`, as a shell runs them."""

import csv
import os
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from skan_receiver.storage import Store, apikeys
from tests.cli.conftest import Run
from tests.receiving import NOON, Receiver


@pytest.fixture
def store(sqlite_url: str) -> Iterator[Store]:
    """The store that the commands open too."""
    store = Store(sqlite_url)
    yield store
    store.close()


@pytest.fixture
def receiver(store: Store) -> Receiver:
    """Two that count and a forgery, from a network with a name for a spreadsheet."""
    receiver = Receiver(store)
    sign = receiver.signer.skadnetwork
    receiver.receive(sign(conversion_value=20), sign(ad_network_id="=1+1.skadnetwork"))
    receiver.receive({**sign(), "app-id": 7})
    receiver.settle()
    return receiver


DAYS = ("--from", "2026-11-01", "--to", "2026-11-30")


def test_a_key_is_shown_once_and_works_until_revoked(run: Run, store: Store) -> None:
    """Nothing that is kept, or listed later, is the key."""
    key = run("keys", "create", "grafana").out.strip()
    assert key.startswith("skan_")
    assert len(key) == 48
    listed = run("keys", "list", "--json")
    (row,) = listed.lines
    assert (row["name"], row["scopes"], row["prefix"]) == ("grafana", "read", key[:9])
    assert key not in listed.out
    assert apikeys.verify_key(store, key, NOON)
    assert run("keys", "revoke", "1").status == 0
    assert run("keys", "revoke", "1").status == 1
    assert apikeys.verify_key(store, key, NOON) is None


def test_a_key_without_sense_is_refused_in_words(run: Run) -> None:
    """A partner's key can be nothing else."""
    done = run("keys", "create", "x", "--scope", "read", "--partner", "a network")
    assert (done.status, done.out) == (1, "")
    assert "partner" in done.err


def test_a_user_is_invited_by_a_link(run: Run) -> None:
    """With the address people know the server by."""
    done = run("users", "add", "ada", SKAN_PUBLIC_URL="https://skan.example/")
    assert done.out.startswith("https://skan.example/login/")
    again = run("users", "link", "ada")
    assert again.out.startswith("http://127.0.0.1:8000/login/")
    (row,) = run("users", "list", "--json").lines
    assert (row["name"], row["password"]) == ("ada", "not yet")
    assert run("users", "remove", "ada").status == 1  # the last admin stays
    run("users", "add", "ben")
    assert [run("users", "remove", "ada").status for _ in range(2)] == [0, 1]
    assert run("users", "link", "ada").status == 1


def test_a_report_prints_for_people_programs_and_spreadsheets(run: Run, receiver: Receiver) -> None:
    """The same rows in each."""
    by = ("report", "volumes", *DAYS, "--by", "day,verdict")
    rows = run(*by, "--json").lines
    assert rows == [
        {"day": "2026-11-23", "verdict": "invalid", "postbacks": 1, "counted": 0, "installs": 0},
        {"day": "2026-11-23", "verdict": "valid", "postbacks": 2, "counted": 2, "installs": 2},
    ]
    table = list(csv.DictReader(StringIO(run(*by, "--format", "csv").out)))
    assert table == [{name: str(value) for name, value in row.items()} for row in rows]
    assert "2026-11-23" in run(*by).out


def test_a_spreadsheet_gets_no_formulas(run: Run, receiver: Receiver) -> None:
    """A network's id is what its sender wrote; `=1+1` stays text."""
    out = run("report", "volumes", *DAYS, "--by", "ad-network-id", "--format", "csv").out
    assert "\n'=1+1.skadnetwork," in out
    assert "\n=" not in out


def test_shares_read_as_shares(run: Run, receiver: Receiver) -> None:
    """Percent for people, a number for programs."""
    assert "50.0%" in run("report", "values", *DAYS).out
    assert {row["share"] for row in run("report", "values", *DAYS, "--json").lines} == {0.5}


def test_a_report_in_another_zone_has_that_zones_days(run: Run, receiver: Receiver) -> None:
    """12:30 UTC is the next morning in Auckland."""
    rows = run("report", "volumes", *DAYS, "--tz", "Pacific/Auckland", "--by", "day", "--json")
    assert [row["day"] for row in rows.lines] == ["2026-11-24"]


def test_a_chart_that_cannot_be_written_is_one_line(run: Run, tmp_path: Path) -> None:
    """With the remedy."""
    done = run("report", "volumes", *DAYS, "--chart", str(tmp_path / "gone" / "chart.html"))
    assert done.status == 2
    assert done.err.endswith("(No such file or directory); name a file in a folder of yours\n")


def test_a_chart_is_a_page_that_loads_nothing(run: Run, receiver: Receiver, tmp_path: Path) -> None:
    """One file to open, to send, to keep."""
    done = run("report", "volumes", *DAYS, "--chart", str(tmp_path / "chart.html"))
    page = (tmp_path / "chart.html").read_text()
    assert "chart.html: open it in a browser" in done.out
    assert '"postbacks"' not in done.out
    assert page.count("<script>") == 4
    assert "src=" not in page.split("<script>")[0]


def test_a_report_is_written_as_parquet(
    receiver: Receiver, sqlite_url: str, tmp_path: Path
) -> None:
    """For frames: with types, which CSV has not."""
    command = [sys.executable, "-m", "skan_receiver", "report", "values", *DAYS]
    environment = {**os.environ, "DATABASE_URL": sqlite_url}
    with (tmp_path / "values.parquet").open("wb") as file:
        subprocess.run([*command, "--format", "parquet"], env=environment, stdout=file, check=True)
    table = pq.read_table(tmp_path / "values.parquet")
    assert table.column_names == ["window", "fine_value", "coarse_value", "postbacks", "share"]


def test_wrong_use_of_a_report_is_said_in_words(run: Run) -> None:
    """Which report, which dimension, which date."""
    for arguments, said in [
        (("nothing",), "volumes"),
        (("volumes", "--by", "moon"), "moon"),
        (("values", "--by", "verdict"), "cannot be split by 'verdict', but by: hour"),
        (("volumes", "--tz", "Berlin"), "write one like Europe/Berlin"),
        (("volumes", "--currency", "EUR"), "it has no amounts"),
        (("volumes", "--from", "yesterday"), "2026-11-01T14:00"),
    ]:
        done = run("report", *arguments)
        assert done.status == 2
        assert said in done.err


def test_what_a_stranger_wrote_does_not_steer_a_terminal(run: Run, receiver: Receiver) -> None:
    """Neither in the list nor in the whole of one: no escape, no bell, no way back in the line."""
    hostile = "a\x1b[2Jb\x07c\rd\u202ee\x9bf"
    sign = receiver.signer.skadnetwork
    receiver.receive(sign(transaction_id=hostile, ad_network_id=hostile), sign(transaction_id=" "))
    for arguments in (("list",), ("show", "4")):
        out = run("postbacks", *arguments).out
        assert r"a\x1b[2Jb\x07c\rd\u202ee\x9bf" in out
        assert {char for char in out if not char.isprintable()} == {"\n"}
    assert "postback_id: #5\n" in run("postbacks", "show", "5").out
    (row,) = run("postbacks", "show", "5", "--json").lines
    assert row["signed"]["postback_id"] == " "
