"""Statements as MMPs and networks export them, imported whole or not at all."""

import gzip
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select

from skan_receiver.errors import ConfigurationError
from skan_receiver.mmp.statements import FORMATS, recognised
from skan_receiver.mmp.statements import cells as read
from skan_receiver.mmp.statements.format import plain
from skan_receiver.storage import Statement, StatementLine, Store, statement_import
from skan_receiver.storage.columns import table
from skan_receiver.storage.statement_import import import_statement, remove_statement
from skan_receiver.storage.statement_reading import BATCH, Asked, Imported

STATEMENT, LINE = table(Statement), table(StatementLine)
NOW = datetime(2026, 11, 26, tzinfo=UTC)
DAY = date(2026, 11, 1)
ID = "6aafb7a5-0170-41b5-bbe4-fe71dedf1e28"

Import = Callable[..., Imported]


@pytest.fixture
def imports(store: Store, tmp_path: Path) -> Import:
    """Import what is written, as a file."""

    def imports(written: str | bytes, **asked: Any) -> Imported:
        path = tmp_path / "theirs.csv"
        path.write_bytes(written if isinstance(written, bytes) else written.encode())
        return import_statement(store, path, Asked(**{"name": "theirs", **asked}), NOW)

    return imports


def lines(store: Store) -> list[dict[str, Any]]:
    """What is kept, without what is absent."""
    with store.read() as connection:
        rows = connection.execute(select(LINE).order_by(LINE.c.statement_id, LINE.c.number))
        kept = [dict(row) for row in rows.mappings()]
    hidden = ("statement_id", "number")
    return [{k: v for k, v in row.items() if v is not None and k not in hidden} for row in kept]


def mistakes(imports: Import, written: str | bytes, **asked: Any) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        imports(written, **asked)
    return str(caught.value).splitlines()


GENERIC = f"""\
transaction_id,day,ad_network_id,app_id,window,kind,revenue,currency
{ID.upper()},2026-11-01,A.skadnetwork,525463029,0,install,1.5,eur
,2026-11-02,b.skadnetwork,525463029,,,,
"""


def test_a_table_of_ones_own_is_read_by_our_names(store: Store, imports: Import) -> None:
    """Ids and networks in lower case, what is empty absent."""
    done = imports(GENERIC)

    assert (done.format, done.lines, done.counted) == ("generic", 2, 2)
    assert (done.first_day, done.last_day) == (DAY, DAY + timedelta(1))
    assert lines(store) == [
        {
            "day": DAY, "app_id": 525463029, "ad_network_id": "a.skadnetwork", "postback_id": ID,
            "window": 0, "kind": "install", "count": 1, "revenue": 1.5, "currency": "EUR",
        },
        {
            "day": DAY + timedelta(1), "app_id": 525463029, "ad_network_id": "b.skadnetwork",
            "kind": "install", "count": 1,
        },
    ]  # fmt: skip


APPSFLYER = f"""\
app_id,event_name,install_date,media_source,skad_ad_network_id,skad_did_win,skad_redownload,\
skad_transaction_id,skad_postback_sequence_index,skad_revenue,timestamp
id525463029,af_skad_install,2026-10-29,Moloco,a.skadnetwork,true,false,\
{ID},0,,2026-11-01 23:30:00.000
id525463029,af_skad_redownload,2026-10-29,Moloco,a.skadnetwork,true,true,\
x-2,0,3.20,2026-11-01 01:00:00.000
id525463029,af_skad_revenue,2026-10-29,Moloco,a.skadnetwork,true,false,\
{ID},0,3.20,2026-11-01 01:00:00.000
"""
APPSFLYER_SUMS = """\
Date,Media Source (pid),Campaign,Installs,Converted Users,Total Revenue
2026-11-01,Meta ads,Autumn,"1,234",40,12.5
2026-11-01,Moloco,Autumn,0,0,0
"""
ADJUST = f"""\
{{activity_kind}},{{sk_ts}},{{sk_transaction_id}},{{sk_network_id}},{{sk_app_id}},\
{{sk_redownload}},{{sk_did_win}},{{sk_invalid_signature}},{{sk_postback_sequence_index}}
sk_install,1793575800,{ID},a.skadnetwork,525463029,0,1,0,0
sk_install,1793575800,x-2,a.skadnetwork,525463029,0,1,1,0
sk_qualifier,1793575800,x-3,a.skadnetwork,525463029,0,0,0,0
sk_event,1793575800,{ID},a.skadnetwork,525463029,0,1,0,0
"""
ADJUSTED = [(ID, "install", 1, 0), ("x-2", "invalid", 1, 0), ("x-3", "lost", 1, 0)]
ADJUST_SUMS = """\
day,partner_name,store_id,skad_installs,skad_reinstalls,skad_qualifiers
2026-11-01,Meta ads,525463029,10,3,0
"""
BRANCH = f"""\
id,timestamp,invalid_reason,app_id,annotation_dollar_3p,\
body_transaction_id,body_ad_network_id,body_app_id,body_redownload,body_did_win
e92e,1793575800000,,638469555697504342,a_tiktok_ads,\
{ID},a.skadnetwork,525463029,true,true
e92f,1793575800000,INVALID_SIGNATURE,638469555697504342,a_tiktok_ads,\
x-2,a.skadnetwork,525463029,false,true
"""
SINGULAR = """\
Date,App,Source,SKAN App ID,SKAN Network ID,SKAN Conversion Value,SKAN Installs
2026-11-01,My app,Meta ads,525463029,,3,7
"""


@pytest.mark.parametrize(
    ("name", "written", "kept"),
    [
        ("appsflyer", APPSFLYER, [(ID, "install", 1, 0), ("x-2", "redownload", 1, 0)]),
        ("appsflyer", APPSFLYER_SUMS, [(None, "install", 1234, None)]),
        ("adjust", ADJUST.replace("{", "").replace("}", ""), ADJUSTED),
        ("adjust", ADJUST, ADJUSTED),
        ("adjust", ADJUST_SUMS, [(None, "install", 10, None), (None, "redownload", 3, None)]),
        ("branch", BRANCH, [(ID, "redownload", 1, None), ("x-2", "invalid", 1, None)]),
        ("singular", SINGULAR, [(None, "install", 7, None)]),
    ],
)  # fmt: skip
def test_exports_are_recognised_by_their_columns(
    name: str, written: str, kept: list[Any], store: Store, imports: Import
) -> None:
    """Row by row and summed; a network's name becomes its id."""
    networks = {"Meta Ads": ("meta.skadnetwork",), "moloco": ("moloco.skadnetwork",)}
    done = imports(written, networks=networks, app_id=525463029)

    assert done.format == name
    found = lines(store)
    told = [(r.get("postback_id"), r["kind"], r["count"], r.get("window")) for r in found]
    assert told == kept
    assert {row["day"] for row in found} == {DAY}
    assert {row["app_id"] for row in found} == {525463029}
    assert {row["ad_network_id"] for row in found} <= {"a.skadnetwork", "meta.skadnetwork"}
    if written in (APPSFLYER, ADJUST):
        assert sum(done.left_out.values()) == 1


def test_days_are_those_of_the_zone_and_of_the_basis(store: Store, imports: Import) -> None:
    """Moments with an offset are moved, those without are taken to be of the zone."""
    imports(ADJUST, zone="Asia/Tokyo")  # 23:30 UTC is the next day there
    assert {row["day"] for row in lines(store)} == {date(2026, 11, 2)}
    imports(APPSFLYER, zone="Asia/Tokyo")
    assert {row["day"] for row in lines(store)} == {DAY}
    imports(APPSFLYER, basis="install")
    assert {row["day"] for row in lines(store)} == {date(2026, 10, 29)}
    assert mistakes(imports, BRANCH, basis="install") == [
        "line 1: day: branch has no install dates; choose another basis"
    ]


def test_every_mistake_is_told_and_nothing_is_kept(store: Store, imports: Import) -> None:
    """With its line, its column and the remedy; whoever mends the file does so once."""
    written = """\
transaction_id,day,network,app_id,window,kind,count,revenue,currency,did_win
,01.11.2026,Meta,x,3,click,-1,much,euro,perhaps
a b,2026-02-30,Meta,1,,,2,,,
,2026-11-01,Meta,1
,2026-11-01,Moloco,1,,,5,,,
id,2026-11-01,Moloco,1,,,5,,,
,2026-11-01,,,,,1,,,
"""
    assert mistakes(imports, written) == [
        "line 2: kind: `click` is no kind; write one of install, redownload, re-engagement, lost, "
        "invalid",
        "line 2: did_win: `perhaps` is neither true nor false; write one of them",
        "line 2: window: `3` is no window; write 0, 1 or 2",
        "line 2: revenue: `much` is no amount; write it like 12.50",
        "line 2: currency: `euro` is no currency; write three letters, as in EUR",
        "line 2: day: `01.11.2026` is no day; write it like 2026-11-30",
        "line 2: app_id: `x` is no App Store id; write its number",
        "line 2: count: `-1` is no number of installs; write it like 1234",
        "line 3: transaction_id: `a b` is no id of a postback; write Apple's transaction-id",
        "line 3: day: `2026-02-30` is no day; write it like 2026-11-30",
        "line 4: row: has 4 cells where the first line has 10; "
        "put quotes around a cell with a comma in it",
        "line 6: transaction_id: is of one postback; write 1, or leave the id out",
        "line 7: app_id: is empty; fill it in, or say --app ID for all rows",
        "line 7: network: is empty; fill it in, or say --network ID for all rows",
        'network: `Meta` (2 rows) is no network we know; say --network "Meta=abc123.skadnetwork"',
        'network: `Moloco` (2 rows) is no network we know; '
        'say --network "Moloco=abc123.skadnetwork"',
    ]  # fmt: skip
    with store.read() as connection:
        assert connection.execute(select(STATEMENT)).all() == []
    assert lines(store) == []


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("", "line 1: day: is missing; add the column"),
        ("dai,installs,app_id\n", "day: is missing; add the column; did you mean `dai`?"),
        ("day,installs\n", "line 1: app_id: is missing; add the column, or say --app ID for all"),
        (
            "day,app_id\n",
            "transaction_id or count: is missing: rows need an id or a",
        ),
        ("day,app_id,installs\n", "line 1: row: no row is of an install; choose another file or"),
        ('day,app_id,installs\n2026-11-01,1,"2\n', "line 2: row: is no CSV"),
        ("day,app_id,installs,x\n2026-11-01,1,2,é\n".encode("latin-1"), "line 2: x: holds a byte"),
        (b"\x1f\x8b\x08broken", "theirs.csv: is no whole gzip file"),
        (b"PAR1broken", "theirs.csv: is no whole Parquet file"),
    ],
)
def test_files_that_cannot_be_read_say_why(
    written: str | bytes, said: str, imports: Import
) -> None:
    """Columns that are missing, text that is none, halves of files."""
    assert said in mistakes(imports, written)[0]


def test_of_many_mistakes_a_hundred_are_told(imports: Import) -> None:
    """A million lines of a file in another form are one message."""
    told = mistakes(imports, "day,app_id,installs\n" + "1.1.26,1,1\n" * 12_345)
    assert len(told) == 101
    assert told[-1] == "and 12,245 more"


def test_the_same_name_again_takes_the_place_of_the_one_before(
    store: Store, imports: Import
) -> None:
    """A good file does, and one with mistakes leaves all as it was."""
    assert not imports(GENERIC).replaced
    before = lines(store)
    assert imports(GENERIC).replaced
    assert lines(store) == before
    mistakes(imports, GENERIC.replace("2026-11-02", "soon"))
    assert lines(store) == before
    with store.read() as connection:
        assert connection.execute(select(STATEMENT.c.name)).scalars().all() == ["theirs"]
    assert remove_statement(store, "theirs")
    assert not remove_statement(store, "theirs")
    assert lines(store) == []


def test_files_may_be_compressed_and_larger_than_a_batch(store: Store, imports: Import) -> None:
    """They are read a part at a time, and are there at once."""
    n = BATCH * 2 + 3
    written = "day;app_id;installs\r\n" + "2026-11-01;1;2\r\n" * n

    done = imports(gzip.compress(written.encode("utf-8-sig")))

    assert (done.lines, done.counted) == (n, 2 * n)
    assert len(lines(store)) == n


def test_parquet_says_what_csv_says(store: Store, imports: Import, tmp_path: Path) -> None:
    """Numbers, days and moments are typed there."""
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    at = datetime(2026, 11, 1, 23, 30, tzinfo=UTC)
    columns = {"arrived_at": [at, at], "app_id": [1, 1], "installs": [2, None]}
    parquet.write_table(pa.table(columns), tmp_path / "x.parquet")

    imports((tmp_path / "x.parquet").read_bytes(), zone="Europe/Berlin")

    assert lines(store) == [{"day": date(2026, 11, 2), "app_id": 1, "kind": "install", "count": 2}]


def test_what_is_asked_wrongly_is_refused(store: Store, imports: Import) -> None:
    """Before anything is read."""
    assert mistakes(imports, GENERIC, name="Their report") == [
        "'Their report' is no name of a statement; write small letters, digits and hyphens"
    ]
    assert mistakes(imports, GENERIC, destinations=["flyer"]) == [
        "there is no destination 'flyer'; there are: none"
    ]
    assert mistakes(imports, GENERIC, last_day=DAY) == [
        "line 3: day: 2026-11-02 is outside the days given; leave them out"
    ]


def test_two_imports_of_one_name_leave_one_statement(store: Store, tmp_path: Path) -> None:
    """Whichever ends last; the lines of the other are gone."""
    for n in range(4):
        (tmp_path / f"{n}.csv").write_text("day,app_id,installs\n" + "2026-11-01,1,1\n" * (n + 1))
    with ThreadPoolExecutor(4) as pool:
        paths = [tmp_path / f"{n}.csv" for n in range(4)]
        asked = Asked(name="theirs")
        done = list(pool.map(lambda path: import_statement(store, path, asked, NOW), paths))

    with store.read() as connection:
        (kept,) = connection.execute(select(STATEMENT)).all()
    assert kept.lines == len(lines(store)) in [one.lines for one in done]


def test_what_an_import_left_when_it_was_killed_goes_with_a_later_one(
    store: Store, imports: Import
) -> None:
    """After a day: until then somebody may still be importing it."""
    for begun in (NOW - timedelta(days=2), NOW - timedelta(minutes=5)):
        header = {
            "format": "generic", "zone": "UTC", "basis": "arrival", "file": "x", "lines": 0,
            "counted": 0, "left_out": 0, "names_networks": True, "networks": "{}",
            "destinations": "[]", "begun_at": begun,
        }  # fmt: skip
        store.write(lambda connection, row=header: connection.execute(insert(STATEMENT), [row]))  # type: ignore[misc]  # bound at once
    imports(GENERIC)

    with store.read() as connection:
        begun_at = connection.execute(select(STATEMENT.c.begun_at)).scalars().all()
    assert sorted(begun_at) == [NOW - timedelta(minutes=5), NOW]
    assert timedelta(days=1) == statement_import.ABANDONED


@given(
    st.integers(366 * 86_400, 4_102_444_800),
    st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kolkata", "America/St_Johns"]),
)
def test_a_moment_is_of_one_day_however_it_is_written(moment: int, zone: str) -> None:
    """With an offset, as seconds, as milliseconds, as AppsFlyer writes it."""
    local = datetime.fromtimestamp(moment, ZoneInfo(zone))
    written = [local.isoformat(), local.astimezone(UTC).isoformat(), f"{moment}000"]
    written += [f"{local:%Y-%m-%d %H:%M:%S}.000", f"{local.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"]
    usual = 1_000_000_000 <= moment < 10_000_000_000  # of ten digits
    written = [*written, str(moment)] if usual else written[:2]

    assert {read.day(one, ZoneInfo(zone)) for one in written} == {local.date()}


def test_no_format_reads_a_column_under_a_name_that_no_file_can_have() -> None:
    """Names are compared as `plain` writes them; and what marks a format is read by it alone."""
    for form in FORMATS.values():
        names = [getattr(form, field) for field in form.__slots__ if field not in ("name", "whats")]
        for name in {one for some in names for one in some}:
            assert plain(name) == name
        for mark in form.marks:
            assert recognised([mark], FORMATS) is form
