"""An export holds what the store holds, whatever happened in between."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from sqlalchemy import select

from skan_receiver.config import Settings
from skan_receiver.errors import ConfigurationError, SkanError
from skan_receiver.protocol import Keys
from skan_receiver.reports import analytics
from skan_receiver.reports.analytics import Choice, Exported, export, exporting, state
from skan_receiver.reverify import reverify
from skan_receiver.storage import Registered, Store, StoredPostback
from skan_receiver.storage.columns import table
from skan_receiver.storage.predicate import counts, superseded
from skan_receiver.storage.retention import retain
from tests.receiving import NOON, Receiver

POSTBACK = table(StoredPostback)
SETTINGS = Settings()


@pytest.fixture
def receiver(store: Store) -> Receiver:
    """Two apps and two months: downloads, a copy for the developer, a loser, a forgery."""
    receiver = Receiver(store)
    sign = receiver.signer.skadnetwork
    receiver.receive(sign("4.0", conversion_value=20), {**sign("3.0"), "transaction-id": "=1+1"})
    receiver.receive(sign("4.0", app_id=7, did_win=False), sign("2.2", app_id=7))
    receiver.receive(receiver.signer.adattributionkit(app_id=7), endpoint="developer")
    receiver.later(days=20)
    receiver.receive(sign("4.0", coarse_conversion_value="low", postback_sequence_index=1))
    receiver.receive(sign("4.0", conversion_value=3, country_code="DE"), endpoint="import")
    return receiver


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where nothing is yet."""
    return tmp_path / "out"


def exported(receiver: Receiver, folder: Path, **chosen: Any) -> Exported:
    return export(receiver.store, folder, receiver.settings, Choice(**chosen))


def rows(folder: Path) -> list[dict[str, Any]]:
    """What a reader sees: every file that is not hidden, with what its folders say."""
    keys = pa.schema([("month", pa.string()), ("app_id", pa.int64())])
    found = ds.dataset(folder, format="parquet", partitioning=ds.partitioning(keys, flavor="hive"))
    return sorted(found.to_table().to_pylist(), key=lambda row: row["id"])


def stored(receiver: Receiver) -> list[dict[str, Any]]:
    """What the store holds, by its own words."""
    made = counts(receiver.settings).label("counted"), superseded().label("superseded")
    with receiver.store.read() as connection:
        found = connection.execute(select(POSTBACK, *made).order_by(POSTBACK.c.id))
        return [_told(dict(row._mapping)) for row in found]


def _told(row: dict[str, Any]) -> dict[str, Any]:
    extra = {"month": f"{row['received_at']:%Y-%m}", "collides": row["collides_with"] is not None}
    told = {**row, **extra, "counted": bool(row["counted"]), "superseded": bool(row["superseded"])}
    hidden = ("identity", "body", "signed_message", "collides_with", "supersedes")
    return {name: value for name, value in told.items() if name not in hidden}


def agrees(receiver: Receiver, folder: Path) -> bool:
    return rows(folder) == stored(receiver)


def test_an_export_holds_what_the_store_holds(receiver: Receiver, folder: Path) -> None:
    """Every column of every row; absent values are absent."""
    done = exported(receiver, folder)

    assert done == Exported(rows=7, written=3, removed=0, kept=0)
    assert agrees(receiver, folder)
    assert sorted(str(path.parent.relative_to(folder)) for path in folder.rglob("*.parquet")) == [
        "month=2026-11/app_id=525463029",
        "month=2026-11/app_id=7",
        "month=2026-12/app_id=525463029",
    ]  # fmt: skip


def test_words_are_numbered_and_types_are_told(receiver: Receiver, folder: Path) -> None:
    """A notebook gets categories, small numbers and moments, without being told."""
    exported(receiver, folder)
    path = next(folder.rglob("*.parquet"))
    schema = pq.read_schema(path)

    assert schema.field("verdict").type == pa.dictionary(pa.int32(), pa.string())
    assert schema.field("fine_value").type == pa.int8()
    assert schema.field("received_at").type == pa.timestamp("us", tz="UTC")
    assert "app_id" not in schema.names


def test_nothing_new_is_nothing_written(receiver: Receiver, folder: Path) -> None:
    """A second run touches no file."""
    exported(receiver, folder)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.parquet")}

    assert exported(receiver, folder) == Exported(rows=0, written=0, removed=0, kept=3)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.parquet")} == before


def test_new_rows_write_their_partition_and_no_other(receiver: Receiver, folder: Path) -> None:
    """Late ones too: an import of old times is in the month of those times."""
    exported(receiver, folder)
    receiver.now = NOON + timedelta(hours=1)
    receiver.receive(receiver.signer.skadnetwork("4.0", app_id=7), endpoint="import")

    assert exported(receiver, folder) == Exported(rows=3, written=1, removed=0, kept=2)
    assert agrees(receiver, folder)

    receiver.now = datetime(2024, 2, 29, tzinfo=UTC)
    receiver.receive(receiver.signer.skadnetwork("3.0", app_id=7), endpoint="import")
    assert exported(receiver, folder).written == 1
    assert agrees(receiver, folder)


@pytest.mark.parametrize("copies", [0, 20])
def test_values_that_were_taken_over_are_seen(
    receiver: Receiver, folder: Path, copies: int
) -> None:
    """Apple's own copy replaces what an import said, however many copies came before it."""
    body = receiver.signer.skadnetwork("4.0", conversion_value=3)
    for _ in range(copies + 1):
        receiver.receive(body, endpoint="import")
    exported(receiver, folder)
    receiver.receive({**body, "conversion-value": 5}, endpoint="network")

    assert exported(receiver, folder).written == 1
    assert agrees(receiver, folder)


def test_a_copy_that_changes_nothing_writes_nothing(receiver: Receiver, folder: Path) -> None:
    """The network's copy stands; the developer's is a duplicate."""
    body = receiver.signer.skadnetwork("4.0", conversion_value=3)
    receiver.receive(body)
    exported(receiver, folder)
    receiver.receive(body, endpoint="developer")

    assert exported(receiver, folder).written == 0


def test_rows_judged_anew_are_seen(receiver: Receiver, folder: Path) -> None:
    """The old row is superseded, in whatever month it is; and back again."""
    exported(receiver, folder)
    for keys in (Keys.load(), receiver.keys, Keys.load()):
        assert reverify(receiver.store, keys)
        assert exported(receiver, folder).written == 3
        assert agrees(receiver, folder)


def test_rows_that_were_dropped_are_dropped(receiver: Receiver, folder: Path) -> None:
    """Retention deletes the forgery; a partition that is empty is removed."""
    forged = {**receiver.signer.skadnetwork("4.0"), "app-id": 99}
    receiver.receive(forged)
    exported(receiver, folder)
    while retain(receiver.store, receiver.settings, receiver.now + timedelta(days=400)):
        pass

    assert exported(receiver, folder) == Exported(rows=2, written=1, removed=1, kept=2)
    assert agrees(receiver, folder)
    assert not list(folder.rglob("app_id=99"))


def test_what_counts_follows_what_is_registered(receiver: Receiver, folder: Path) -> None:
    """Once an app is ours, those of others no longer count."""
    exported(receiver, folder)
    ours = {"kind": "app", "value": "7", "name": ""}
    receiver.store.write(lambda connection: connection.execute(table(Registered).insert(), [ours]))

    assert exported(receiver, folder).written == 3
    assert agrees(receiver, folder)
    assert {row["app_id"] for row in rows(folder) if row["counted"]} == {7}


def test_a_file_that_was_lost_is_written_again(receiver: Receiver, folder: Path) -> None:
    """Nobody has to tell us, and a spoilt one is no different."""
    exported(receiver, folder)
    first, second, _ = sorted(folder.rglob("*.parquet"))
    first.unlink()
    second.write_bytes(b"PAR1")

    assert exported(receiver, folder).written == 2
    assert agrees(receiver, folder)


def test_a_run_that_failed_is_finished_by_the_next(receiver: Receiver, folder: Path) -> None:
    """Whatever was replaced is whole; what was not is as it was."""
    exported(receiver, folder)
    receiver.receive(receiver.signer.skadnetwork("4.0"))
    (state_file := folder / state.NAME).write_text(
        json.dumps({**json.loads(state_file.read_text()), "rule": "another"})
    )
    torn = folder / "month=2026-11" / "app_id=5" / ".postbacks.parquet.new"
    torn.parent.mkdir()
    torn.write_bytes(b"PAR1")

    assert exported(receiver, folder).written == 1
    assert agrees(receiver, folder)
    assert not torn.parent.exists()


def test_many_apps_are_written_some_at_a_time(
    receiver: Receiver, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process may only have so many files open, and so many rows in memory."""
    monkeypatch.setattr(exporting, "FILES", 3)
    monkeypatch.setattr(exporting, "WAITING", 4)
    sign = receiver.signer.skadnetwork
    for _ in range(2):
        receiver.receive(*(sign("4.0", app_id=app_id) for app_id in range(1, 12)))
        exported(receiver, folder)
        assert agrees(receiver, folder)


def test_a_choice_is_kept_to(receiver: Receiver, folder: Path) -> None:
    """One app, one network, some days; another choice belongs in another folder."""
    exported(receiver, folder / "app", app=7)
    exported(receiver, folder / "network", network="EXAMPLE123.skadnetwork")
    exported(receiver, folder / "days", since=NOON + timedelta(days=1))

    assert {row["app_id"] for row in rows(folder / "app")} == {7}
    assert rows(folder / "network") == [
        row for row in stored(receiver) if row["ad_network_id"] == "example123.skadnetwork"
    ]
    assert {row["month"] for row in rows(folder / "days")} == {"2026-12"}
    assert exported(receiver, folder / "app", app=7).written == 0
    with pytest.raises(ConfigurationError, match=r"--app 7, not with all rows; name another"):
        exported(receiver, folder / "app")


def test_a_folder_of_something_else_is_left_alone(receiver: Receiver, folder: Path) -> None:
    """An export removes files that are not in the store: never somebody else's."""
    (folder / "month=2026-11").mkdir(parents=True)
    with pytest.raises(ConfigurationError, match="holds something else"):
        exported(receiver, folder)


def test_two_runs_do_not_write_at_once(receiver: Receiver, folder: Path) -> None:
    """The second says so, and is wanted later."""
    with state.locked(folder), pytest.raises(SkanError, match="another export is writing"):
        exported(receiver, folder)


def test_raw_bytes_come_when_asked_for(receiver: Receiver, folder: Path) -> None:
    """Evidence: what Apple sent, and what it signed."""
    exported(receiver, folder, raw=True)
    found = {row["id"]: (row["body"], row["signed_message"]) for row in rows(folder)}

    assert found == {
        row.id: (row.body, row.signed_message) for row in receiver.rows(StoredPostback)
    }


def test_an_empty_store_is_an_empty_export(store: Store, folder: Path) -> None:
    """Nothing came yet."""
    assert export(store, folder, SETTINGS) == Exported(0, 0, 0, 0)


KILLED = """
import sys
from pathlib import Path
from skan_receiver.config import Settings
from skan_receiver.reports.analytics import export
from skan_receiver.storage import Store
export(Store(sys.argv[1]), Path(sys.argv[2]), Settings())
"""


def test_a_run_that_is_killed_leaves_what_can_be_read(receiver: Receiver, folder: Path) -> None:
    """kill -9 at any moment: every file is whole, and the next run finishes."""
    sign = receiver.signer.skadnetwork
    receiver.receive(*(sign("4.0", app_id=app_id) for app_id in range(100, 160)))
    command = [
        sys.executable,
        "-c",
        KILLED,
        str(receiver.store.url.render_as_string(False)),
        str(folder),
    ]
    for wait in (0.0, 0.02, 0.05, 0.1):
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            _begun(folder, process)
            time.sleep(wait)
            os.kill(process.pid, signal.SIGKILL)
        written = rows(folder) if list(folder.rglob("*.parquet")) else []
        assert all(row in stored(receiver) for row in written)
    exported(receiver, folder)
    assert agrees(receiver, folder)
    assert not list(folder.rglob("*.new"))


def _begun(folder: Path, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None and not list(folder.glob("month=*")):
        time.sleep(0.01)


def test_names_of_other_tools(receiver: Receiver, folder: Path) -> None:
    """Their columns, their rows: a forgery is flagged by Adjust and left out by AppsFlyer."""
    for names in analytics.DIALECTS:
        exported(receiver, folder / names, names=names)
    theirs = {name: ds.dataset(folder / name, format="parquet") for name in analytics.DIALECTS}
    appsflyer = sorted(
        theirs["appsflyer"].to_table().to_pylist(), key=lambda row: str(row["timestamp"])
    )
    adjust = theirs["adjust"].to_table().to_pylist()

    assert [row["skad_transaction_id"] for row in appsflyer].count("=1+1") == 0
    assert appsflyer[-1]["skad_app_id"] == 525463029
    assert appsflyer[-1]["app_id"] == "id525463029"
    assert {row["skad_conversion_value"] for row in appsflyer} == {20, 3, None}
    assert [row["sk_transaction_id"] for row in adjust if row["sk_invalid_signature"]] == ["=1+1"]
    assert len(adjust) == len(appsflyer) + 1 == 6
    assert adjust[0]["sk_ts"] == int(NOON.timestamp())


def test_what_is_broken_or_of_somebody_else_is_said(receiver: Receiver, folder: Path) -> None:
    """And left as it is."""
    exported(receiver, folder)
    strange = next(folder.glob("month=*")) / "app_id=x"
    strange.mkdir()
    (strange / "postbacks.parquet").touch()
    with pytest.raises(ConfigurationError, match="app_id=x is nothing of ours; move it elsewhere"):
        exported(receiver, folder)
    assert strange.exists()
    for broken in ("", "[]", '{"else": 1}'):
        (folder / state.NAME).write_text(broken)
        with pytest.raises(
            ConfigurationError, match=r"_export\.json is broken, or nothing of ours"
        ):
            exported(receiver, folder)
