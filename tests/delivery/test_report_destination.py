"""Reports as destinations: what may be asked for, and what arrives."""

import csv
import json
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from pydantic import ValidationError

from skan_receiver.delivery.destinations import ANY_KIND
from skan_receiver.delivery.registry import written
from skan_receiver.delivery.templates.macros import REPORT
from skan_receiver.reports import REPORTS
from skan_receiver.storage import Store
from skan_receiver.storage.schemas import Publication, publish
from tests.conversion.schemas import rules, text
from tests.delivery.reporting import issued, receive, report
from tests.receiving import NOON, Receiver

SCHEMA = text(
    rules("value: 20, when: [{event: purchase, exactly: 1}, {revenue: total, at_most: 5}]")
)

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"url": ""}, "begins with https"),
    ({"url": "https://a.example/", "file": "x.csv"}, "to a url or to a file"),
    ({"url": {"skadnetwork": "https://a.example/"}}, "valid string"),
    ({"file": "x.csv"}, "write {revision} into its name"),
    ({"file": "../x.csv"}, "write names with / between them"),
    ({"file": "{rows}.csv"}, "a file's name may have"),
    ({"file": "x-{revision}.csv", "headers": {"X-Key": "k"}}, "has no headers"),
    ({"file": "x-{revision}.csv", "sign": ["key"]}, "no signature"),
    ({"method": "GET"}, "write POST or PUT"),
    ({"report": "nothing"}, "there is no report 'nothing': write one of volumes"),
    ({"report": "reconcile"}, "reconcile is not sent to anybody: write one of volumes"),
    ({"by": ["verdict"]}, "results cannot be split by verdict, but: hour, day"),
    ({"by": ["country"], "length": "hour"}, "country is counted by day"),
    ({"by": ["country", "hour"]}, "country is counted by day"),
    ({"basis": "install", "length": "hour"}, "write `length: day` or `week`"),
    ({"basis": "install", "by": ["hour"]}, "do not split by hour"),
    ({"basis": "install", "report": "events"}, "dates of events are of: arrival"),
    ({"report": "installs", "length": "hour"}, "installs split so is of no less than a day"),
    ({"report": "revenue", "length": "hour"}, "write `length: day` or `week`"),
    ({"report": "revenue", "by": ["source_digits"]}, "write `length: week`"),
    ({"report": "revenue", "by": ["source_digits", "day"], "length": "week"}, "leave `day` out"),
    ({"endpoints": ["network"]}, "counts do not know where a postback came in"),
    ({"body": {"n": "{row_count}"}, "format": "csv"}, "csv is rows alone"),
    ({"body": {"n": "{fine_value}"}}, "only destinations of the kind relay"),
    ({"needs_ip": True}, "only a relay"),
    ({"min_count": -1}, "greater than or equal to 0"),
    ({"revise_days": 91}, "less than or equal to 90"),
    ({"wait_minutes": 2_000}, "less than or equal to 1440"),
    ({"partner": "acme"}, "name the partner's own"),
    ({"url": "https://a.example/{fine_value}"}, "only destinations of the kind relay"),
]


@pytest.mark.parametrize(("fields", "why"), REFUSED)
def test_what_makes_no_sense_is_refused(fields: dict[str, Any], why: str) -> None:
    """When it is saved, with the remedy."""
    with pytest.raises(ValidationError, match=why.replace("(", r"\(")):
        report(**fields)


def test_what_has_no_count_has_no_small_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A report that does not say how many postbacks a row is of cannot leave out small ones."""
    uncounted = {"sums": replace(REPORTS["volumes"], count=None)}
    monkeypatch.setattr("skan_receiver.delivery.destinations.report.REPORTS", uncounted)

    assert report(report="sums").min_count == 1
    with pytest.raises(ValidationError, match="min_count: sums has no count of postbacks"):
        report(report="sums", min_count=2)


def test_what_is_saved_is_read_back() -> None:
    """As it was said, without defaults that may change."""
    for one in (
        report(length="hour", min_count=5, body={"n": "{row_count}"}),
        report(
            file="{window_start}-{revision}.csv", format="csv", partner="a", ad_networks=["A.b"]
        ),
    ):
        assert ANY_KIND.validate_json(written(one)) == one


def test_a_report_is_split_as_usual_unless_one_says_how() -> None:
    """And revised as long as its postbacks take."""
    assert report().split == REPORTS["results"].usually
    assert report(by=["country"]).split == ("country",)
    assert (report().revised_for, report(basis="install").revised_for) == (3, 45)
    assert report(basis="install", revise_days=2).revised_for == 2


def test_what_is_shown_of_it_says_where_it_goes() -> None:
    """In lists of destinations: the file, or the URL with its keys masked."""
    assert report(file="a/{revision}.csv").masked == ("a/{revision}.csv",)
    assert report(url="https://a.example/x?key=abc").masked == ("https://a.example/x?key=•••",)
    assert report(file="a-{revision}.csv").heads == {}


@pytest.fixture
def receiver(store: Store) -> Receiver:
    """A day with something in it that a spreadsheet would run."""
    receiver = Receiver(store)
    publish(store, Publication(SCHEMA), NOON)
    receive(receiver, NOON, 2, app_id=42)
    receive(receiver, NOON, 1, app_id=42, ad_network_id="=cmd|' /c calc'!a1")
    return receiver


def request(receiver: Receiver, **fields: Any) -> Any:
    """What is sent of that day."""
    destination = report(by=("day", "ad_network_id"), **fields)
    values = issued(receiver.store, destination, NOON)
    return destination.request(None, values, {})


DAY = {"start": "2026-11-23T00:00:00Z", "end": "2026-11-24T00:00:00Z"}
COLUMNS = [
    *("day", "ad_network_id", "postbacks", "installs", "redownloads", "reengagements"),
    *("with_value", "nulls", "null_share", "revenue_min", "revenue_max", "revenue", "currency"),
    *("currencies", "events"),
]
ROWS = [
    ["2026-11-23", "=cmd|' /c calc'!a1", 1, 1, 0, 0, 1, 0, 0.0, 0.0, 5.0, 2.5, "USD", [],
     [{"event": "purchase", "min": 1.0, "max": 1.0}]],
    ["2026-11-23", "example123.skadnetwork", 2, 2, 0, 0, 2, 0, 0.0, 0.0, 10.0, 5.0, "USD", [],
     [{"event": "purchase", "min": 2.0, "max": 2.0}]],
]  # fmt: skip
OBJECTS = [dict(zip(COLUMNS, row, strict=True)) for row in ROWS]


def test_json_says_all_there_is(receiver: Receiver) -> None:
    """The window, the revision, what is complete and what was left out, beside the rows."""
    made = request(receiver, min_count=2)

    assert (made.method, made.url) == ("POST", "https://partner.example/in")
    assert made.headers == {
        "Content-Type": "application/json",
        "skan-window-start": DAY["start"],
        "skan-window-end": DAY["end"],
        "skan-basis": "arrival",
        "skan-revision": "1",
    }
    assert json.loads(made.body) == {
        "delivery_id": "00_numbers",
        "destination": "numbers",
        "report": "results",
        "window": {**DAY, "length": "day", "basis": "arrival"},
        "revision": 1,
        "as_of": "2026-11-24T00:00:00Z",
        "completeness": {"0": 1.0, "1": 1.0, "2": 1.0},
        "columns": COLUMNS,
        "rows": OBJECTS[1:],
        "suppressed": {"rows": 1, "postbacks": 1},
    }


def test_ndjson_is_a_row_a_line(receiver: Receiver) -> None:
    """And nothing else."""
    made = request(receiver, format="ndjson")

    assert made.headers["Content-Type"] == "application/x-ndjson"
    assert made.headers["skan-revision"] == "1"
    assert made.body.endswith(b"\n")
    assert [json.loads(line) for line in made.body.splitlines()] == OBJECTS


def test_csv_is_safe_to_open(receiver: Receiver) -> None:
    """A network's id is a stranger's text: a quote before it keeps it text."""
    made = request(receiver, format="csv")

    assert made.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert made.body.decode() == (
        "day,ad_network_id,postbacks,installs,redownloads,reengagements,with_value,nulls,"
        "null_share,revenue_min,revenue_max,revenue,currency,currencies,events\n"
        "2026-11-23,'=cmd|' /c calc'!a1,1,1,0,0,1,0,0.0,0.0,5.0,2.5,USD,,"
        '"[{""event"":""purchase"",""min"":1.0,""max"":1.0}]"\n'
        "2026-11-23,example123.skadnetwork,2,2,0,0,2,0,0.0,0.0,10.0,5.0,USD,,"
        '"[{""event"":""purchase"",""min"":2.0,""max"":2.0}]"\n'
    )
    head, *rows = csv.reader(StringIO(made.body.decode()))
    assert head == COLUMNS
    assert json.loads(rows[1][-1]) == ROWS[1][-1]


def test_an_empty_window_is_sent_too(receiver: Receiver) -> None:
    """Nothing came, which is not the same as: nothing was sent."""
    for form, body in (("ndjson", b""), ("csv", ",".join(COLUMNS).encode() + b"\n")):
        assert request(receiver, format=form, apps=[7]).body == body


def test_a_body_can_be_ones_own(receiver: Receiver) -> None:
    """A tree of the macros of reports; rows are lists in the order of the columns."""
    body = {
        "id": "{delivery_id}", "of": "{window_start}/{window_end}", "n": "{row_count}",
        "data": {"head": "{columns}", "rows": "{rows}"}, "left": "{suppressed}",
    }  # fmt: skip

    made = request(receiver, body=body)

    assert json.loads(made.body) == {
        "id": "00_numbers",
        "of": f"{DAY['start']}/{DAY['end']}",
        "n": 2,
        "data": {"head": COLUMNS, "rows": ROWS},
        "left": {"rows": 0, "postbacks": 0},
    }


def test_a_url_can_name_the_window(receiver: Receiver) -> None:
    """As a template of any other kind."""
    made = request(receiver, url="https://a.example/{length}{?window_start,revision}", method="PUT")

    assert made.method == "PUT"
    assert made.url == "https://a.example/day?window_start=2026-11-23T00%3A00%3A00Z&revision=1"


def test_every_macro_stands_for_something(receiver: Receiver) -> None:
    """And nothing else can be named; which report it is, the body alone says."""
    values = issued(receiver.store, report(), NOON)

    assert values.keys() - {"report"} == REPORT.keys() | {"delivery_id", "destination"}
    assert None not in values.values()
