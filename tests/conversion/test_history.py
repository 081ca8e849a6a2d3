"""Files of user events."""

import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from skan_receiver.conversion import User, UserEvent
from skan_receiver.conversion.history import read_history
from skan_receiver.errors import ConfigurationError, Malformed

CSV = """\
user,event,hours,revenue,currency
anna,purchase,5,4.99,EUR
ben,,,,
anna,session,0.5,,
anna,purchase,7,-4.99,EUR
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "events.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_rows_of_any_order_become_users(tmp_path: Path) -> None:
    """Events go to their user in the order of time; a row without one is an install."""
    history = read_history([written(tmp_path, CSV)])

    anna = (
        UserEvent("session", 0.5),
        UserEvent("purchase", 5, 4.99, "EUR"),
        UserEvent("purchase", 7, -4.99, "EUR"),
    )
    assert list(history) == [User(anna), User()]


def test_times_are_counted_from_the_install(tmp_path: Path) -> None:
    """Exports have times; hours follow from them, and rates of currencies go by the day."""
    text = (
        "user,event,time,installed,conversion_type,flags\n"
        "anna,purchase,2026-01-31T23:00:00+01:00,2026-01-30 10:00,download,attributed new\n"
    )

    (anna,) = read_history([written(tmp_path, text)])

    assert anna == User(
        (UserEvent("purchase", 36),),
        frozenset({"attributed", "new"}),
        date(2026, 1, 30),
        "download",
    )


def test_parquet_says_the_same(tmp_path: Path) -> None:
    """Nulls are empty cells, and times are times."""
    at = datetime(2026, 1, 31, 22, tzinfo=UTC)
    columns = {
        "user": [1, 2],
        "event": ["purchase", None],
        "time": [at, None],
        "installed": [datetime(2026, 1, 30, 10, tzinfo=UTC)] * 2,
        "revenue": [4.99, None],
    }
    parquet.write_table(pa.table(columns), tmp_path / "events.parquet")

    one, other = read_history([tmp_path / "events.parquet"])

    assert one.events == (UserEvent("purchase", 36, 4.99),)
    assert (other.events, other.installed) == ((), date(2026, 1, 30))


def test_users_of_whom_the_files_say_nothing_count(tmp_path: Path) -> None:
    """Exports of events lack those who did nothing: they are most."""
    path = written(tmp_path, CSV)

    assert list(read_history([path], users=4))[2:] == [User(), User()]
    with pytest.raises(ConfigurationError, match="have 2 users: --users cannot be 1"):
        read_history([path], users=1)


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("anna,purchase,soon,1,EUR", "6: hours: 'soon' is no number"),
        ("anna,purchase,-1,1,EUR", "6: hours: is before the install"),
        ("anna,purchase,1,nan,EUR", "6: revenue: is not finite"),
        ("anna,,1,1,EUR", "6: event: is empty, and has revenue"),
        (",purchase,1,1,EUR", "6: user: is empty"),
        ("anna,purchase", "2 and after: a row of 2 cells, where the first line has 5"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, row: str, fault: str) -> None:
    """A file of millions of rows has one odd one, and its owner must find it."""
    path = written(tmp_path, f"{CSV}{row}\n")

    with pytest.raises(Malformed) as raised:
        read_history([path])

    assert str(raised.value) == f"{path}:{fault}"


@pytest.mark.parametrize(
    ("header", "fault"),
    [
        ("user,hours", "has no column `event`"),
        ("user,event,time", "has no column `installed`"),
        ("user,install,event,hours", "has two columns for `user`"),
        ("", "has no column `user`"),
    ],
)
def test_missing_columns_are_named(tmp_path: Path, header: str, fault: str) -> None:
    """The first line decides whether a file can be read at all."""
    with pytest.raises(Malformed, match=f"events.csv:1: {fault}"):
        read_history([written(tmp_path, f"{header}\n")])


def test_files_that_are_no_tables_are_refused(tmp_path: Path) -> None:
    """Bytes of another kind end in a sentence, not in a traceback."""
    for name, what in (("a.parquet", "is no Parquet"), ("a.csv", "is no CSV")):
        (tmp_path / name).write_bytes(b"user,event,hours\n\xff\x00")
        with pytest.raises(Malformed, match=what):
            read_history([tmp_path / name])


def test_without_pyarrow_the_remedy_is_named() -> None:
    """Parquet is an extra; without it CSV still works."""
    program = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from pathlib import Path\n"
        "from skan_receiver.conversion.history import read_history\n"
        "try: read_history([Path('events.parquet')])\n"
        "except Exception as error: print(error)\n"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert "pip install 'skan-receiver[simulator]', or write CSV" in done.stdout
