"""Reports as pages: the same rows, with a form, a chart and files."""

import csv
from io import BytesIO, StringIO

import pyarrow.parquet as pq
import pytest
from flask.testing import FlaskClient

from skan_receiver.reports import REPORTS
from tests.web.site import Site


@pytest.fixture
def browser(site: Site) -> FlaskClient:
    """Signed in, with two postbacks that count."""
    site.receiver.receive(site.signer.skadnetwork(conversion_value=20), site.signer.skadnetwork())
    site.receiver.settle()
    return site.sign_in()


def test_every_report_is_listed_and_opens(browser: FlaskClient) -> None:
    """Under its title."""
    listed = browser.get("/reports").text
    for name, report in REPORTS.items():
        assert f'href="/reports/{name}"' in listed
        page = browser.get(f"/reports/{name}")
        assert page.status_code == (422 if report.needs_statement else 200), name
        assert report.title.replace("'", "&#39;") in page.text


def test_a_report_shows_its_rows_and_draws_them(browser: FlaskClient) -> None:
    """The null share is a share."""
    page = browser.get("/reports/values?by=window").text
    assert "50.0%" in page
    assert 'data-chart="chart"' in page


def test_its_files_have_the_same_rows(browser: FlaskClient) -> None:
    """For spreadsheets and for frames."""
    asked = "by=day&by=verdict"
    written = browser.get(f"/reports/volumes.csv?{asked}")
    assert written.headers["Content-Disposition"] == 'attachment; filename="volumes.csv"'
    (row,) = csv.DictReader(StringIO(written.text))
    assert (row["verdict"], row["postbacks"]) == ("valid", "2")
    table = pq.read_table(BytesIO(browser.get(f"/reports/volumes.parquet?{asked}").data))
    assert table.column_names == list(row)
    assert table["postbacks"].to_pylist() == [2]


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ("tz=Berlin", "is no time zone; write one like Europe/Berlin"),
        ("from=yesterday", "is no date; write 2026-11-01"),
        ("by=weather", "cannot be split by"),
        ("app_id=1e3", "a number, as in 525463029"),
    ],
)
def test_what_makes_no_sense_is_said_beside_its_field(
    browser: FlaskClient, asked: str, why: str
) -> None:
    """Nothing is dropped in silence, in the page or in its files."""
    page = browser.get(f"/reports/volumes?{asked}")
    assert page.status_code == 422
    assert why in page.text.replace("&#39;", "'")
    assert browser.get(f"/reports/volumes.csv?{asked}").status_code == 422


def test_what_was_typed_is_not_read_as_html(browser: FlaskClient) -> None:
    """The answer in place of a file repeats it: as text."""
    refused = browser.get("/reports/volumes.csv", query_string={"tz": "<b>Berlin</b>"})
    assert (refused.status_code, refused.mimetype) == (422, "text/plain")
    assert "<b>Berlin</b>" in refused.text


def test_a_report_that_is_not_there_is_not_found(browser: FlaskClient) -> None:
    """As any page that is not."""
    assert browser.get("/reports/weather").status_code == 404


def test_reports_are_for_who_is_signed_in(site: Site) -> None:
    """Others are sent to the login, and come back."""
    for path in ("/reports", "/reports/volumes", "/reports/volumes.csv"):
        answer = site.browser().get(path)
        assert (answer.status_code, answer.location) == (303, f"/login?next={path}")
