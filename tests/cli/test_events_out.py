"""Events to networks from a shell: a policy, a destination, and why an event was not sent."""

from collections.abc import Iterator

import pytest

from skan_receiver.mmp.event import Platform, Signals
from skan_receiver.storage import Store
from tests.cli.conftest import Run
from tests.delivery.eventing import ANDROID, Intake, destination, purchase
from tests.sink import sink

HERE = {"SKAN_PRIVATE_DESTINATIONS": "1"}


@pytest.fixture
def intake(sqlite_url: str) -> Iterator[Intake]:
    store = Store(sqlite_url)
    yield Intake(store)
    store.close()


def test_a_policy_is_recorded_with_who_and_why(run: Run, intake: Intake) -> None:
    """The last one stands, and the first ones are kept."""
    none = run("events", "policy", "show")
    assert none.status == 1
    assert "events policy allow --reason" in none.err
    assert run("events", "policy", "allow", "--reason", "asked at the start").status == 2
    empty = run("events", "policy", "allow", "--reason", " ", "--author", "Mia")
    assert (empty.status, empty.err[:30]) == (2, "skan-receiver: reason: is empt")
    for word, reason in (("allow", "asked at the start"), ("deny", "a complaint")):
        assert run("events", "policy", word, "--reason", reason, "--author", "Mia").status == 0
    shown = run("events", "policy", "show", "--json").lines
    assert [(one["policy"], one["reason"], one["author"]) for one in shown] == [
        ("deny", "a complaint", "Mia"),
        ("allow", "asked at the start", "Mia"),
    ]


def test_an_event_that_was_not_sent_says_why(run: Run, intake: Intake) -> None:
    """And where to go from there."""
    intake.define(destination("https://acme.example/pb?event={event}"))
    event = purchase(platform=Platform.ANDROID, person=ANDROID, signals=Signals())
    (id_,) = intake.take(event)
    told = run("events", "explain", str(id_))
    assert "acme: held: neither a law nor the platform decides" in told.out
    assert not [value for value in ANDROID.named().values() if value in told.out]
    (line,) = run("events", "explain", str(id_), "--destination", "acme", "--json").lines
    assert (line["destination"], line["outcome"], line["withheld"]) == ("acme", "held", {})
    missing = run("events", "explain", "99")
    assert (missing.status, missing.err) == (
        1,
        "skan-receiver: there is no event 99: see `events list`\n",
    )


def test_a_preset_asks_whether_an_mmp_sends_them_already(run: Run, intake: Intake) -> None:
    """Else each would count twice: nobody can answer it for whoever sets it up."""
    template = "https://ad.example/pb?id={click_id}&idfa={idfa}&at={created_at}"
    asked = {"template": template, "partner": "acme", "media_sources": "acme_int",
             "events": "af_purchase=purchase"}  # fmt: skip
    settings = [part for pair in asked.items() for part in ("--set", "=".join(pair))]
    add = ("destinations", "add", "acme", "--preset", "adjust-postback", *settings)
    unanswered = run(*add)
    assert unanswered.status == 2
    assert "already_sent_by_mmp: is missing" in unanswered.err
    added = run(*add, "--set", "already_sent_by_mmp=no", **HERE)
    assert added.status == 0, added.err
    off = run(*add[:2], "off", *add[3:], "--set", "already_sent_by_mmp=yes", **HERE)
    assert "nothing is sent from here" in off.out
    shown = run("destinations", "show", "acme").out
    assert "id={click_id}&idfa={idfa}&at={event_time_s}" in shown


def test_a_destination_of_events_is_tried_with_nobodys(run: Run, intake: Intake) -> None:
    """Before the first event comes."""
    with sink() as open_:
        intake.define(destination(open_.url + "?e={event}&idfa={idfa}"))
        sent = run("destinations", "test", "acme", "--send", **HERE)
    assert sent.status == 0, sent.err
    (got,) = open_.received
    assert got.path == "/in?e=Purchase&idfa=FFFFFFFF-FFFF-4FFF-8FFF-FFFFFFFFFFFF"


def test_a_template_of_users_is_translated_for_events(run: Run) -> None:
    """For other kinds it is refused, with the kind that has it."""
    text = "https://p.example/?i={idfa}&g={gps_adid}"
    told = run("destinations", "translate", text, "--kind", "event", "--dialect", "adjust")
    assert (told.status, told.out) == (0, "https://p.example/?i={idfa}&g={gaid}\n")
    other = run("destinations", "translate", text, "--dialect", "adjust")
    assert other.status == 1
    assert "only `--kind event` has it, by consent" in other.err
