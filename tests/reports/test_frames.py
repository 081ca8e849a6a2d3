"""Reports in a notebook: frames and charts."""

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from skan_receiver import reports
from skan_receiver.errors import ConfigurationError
from skan_receiver.reports import REPORTS, Unanswerable
from skan_receiver.storage import Store
from tests.receiving import Receiver

NOVEMBER = {"start": "2026-11-01", "end": date(2026, 11, 30)}


@pytest.fixture
def url(store: Store) -> str:
    """A database with two postbacks that count, one of them without a value."""
    receiver = Receiver(store)
    sign = receiver.signer.skadnetwork
    receiver.receive(sign("4.0", conversion_value=20), sign("3.0", campaign_id=7))
    receiver.settle()
    return store.url.render_as_string(hide_password=False)


def test_a_frame_has_the_rows_of_the_report(url: str) -> None:
    """Days are days, texts are categories, and whole numbers stay whole beside absent ones."""
    with reports.open(url) as opened:
        volumes = opened.frame("volumes", by=["day", "version"], **NOVEMBER)
        values = opened.frame("values", **NOVEMBER)
    assert volumes["postbacks"].sum() == 2
    assert volumes["day"].dt.day.unique().tolist() == [23]
    assert volumes["version"].dtype == "category"
    assert values["fine_value"].dtype == "Int64"
    assert values.loc[values["fine_value"].isna(), "postbacks"].tolist() == [1]


def test_a_file_is_opened_by_its_path(sqlite_url: str) -> None:
    """As one has it after copying a database."""
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    with reports.open(path) as opened:
        assert opened.frame("volumes").empty
        assert set(opened.names) == set(REPORTS)


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    """A typing mistake must not look like an empty database."""
    with pytest.raises(ConfigurationError, match=r"no database .*gone\.sqlite3"):
        reports.open(tmp_path / "gone.sqlite3")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "asked", "why"),
    [
        ("volume", {}, "there is no report 'volume', but: volumes"),
        ("volumes", {"by": "weekday"}, "cannot be split by 'weekday', but by: hour, day"),
        ("volumes", {"since": "2026-11-01"}, "since: is none of: start, end"),
        ("volumes", {"tz": "Berlin"}, "tz: 'Berlin' is no time zone; write one like Europe/Berlin"),
        ("volumes", {"start": "November"}, "'November' is no date; write 2026-11-01"),
        ("volumes", {"currency": "EUR"}, "currency: it has no amounts"),
        ("volumes", {"basis": "install"}, "basis: its dates are those of: arrival"),
        ("reconcile", {"statement": "a\0b"}, r"statement: holds U\+0000"),
        ("volumes", {"ad_network_id": "a\ud800"}, "ad_network_id: holds half of a surrogate pair"),
        ("volumes", {"tz": "UTC\0"}, "tz: 'UTC.x00' is no time zone"),
        ("results", {"currency": "E\0R"}, "is no currency; write three letters"),
        ("results", {"currency": "Euro"}, "currency: 'Euro' is no currency; write three letters"),
    ],
)
def test_what_cannot_be_answered_is_said_with_the_remedy(
    sqlite_url: str, name: str, asked: dict[str, str], why: str
) -> None:
    """The same words as at the command and the API."""
    with (
        reports.open(sqlite_url) as opened,
        pytest.raises(Unanswerable, match=why.replace("(", r"\(")),
    ):
        opened.frame(name, **asked)


@pytest.mark.parametrize("name", [n for n, r in REPORTS.items() if not r.needs_statement])
def test_every_report_has_a_chart_that_altair_takes(url: str, name: str) -> None:
    """Each is valid Vega-Lite, with something in it and with nothing."""
    with reports.open(url) as opened:
        for period in (NOVEMBER, {"start": "2020-01-01", "end": "2020-01-31"}):
            chart = opened.chart(name, **period).to_dict()
            assert chart["title"] == REPORTS[name].title


def test_reports_without_frames_load_no_pandas() -> None:
    """No web worker pays for what it does not use."""
    code = (
        "import sys, skan_receiver.reports, skan_receiver.web.report_pages; "
        "sys.exit(bool({'pandas', 'altair', 'ibis', 'duckdb', 'numpy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
