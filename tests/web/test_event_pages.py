"""`/events`: what came, without who it was, what became of it, and what is still to set up."""

from skan_receiver.mmp.event import Att, Signals
from tests.delivery.eventing import PERSON, Intake, destination, purchase
from tests.web.site import Site

URL = "https://acme.example/pb?event={event}"


def test_events_are_listed_without_who_it_was(site: Site) -> None:
    """With what became of each, and why."""
    intake = Intake(site.store)
    intake.define(destination(URL, "bare", takes_bare=True), destination(URL, "network"))
    intake.take(purchase(signals=Signals(att=Att.DENIED)), purchase("<i>", name="<b>buy</b>"))
    site.sign_in()
    page = site.client.get("/events").text
    for value in PERSON.named().values():
        assert value not in page
    assert f"{str(PERSON.idfa)[:4]}…" in page
    assert "<b>bare</b> owed," in page
    assert "<b>network</b> held: App Tracking Transparency" in page
    assert "&lt;b&gt;buy" in page
    assert "9.99 USD" in page


def test_the_set_up_list_leads_through_it(site: Site) -> None:
    """Before anything came, with the commands."""
    site.sign_in()
    page = site.client.get("/events").text
    assert "No event has come yet" in page
    assert "<b>Set-up</b>: 0 of 9 done" in page
    assert "skan-receiver events connect appsflyer" in page


def test_there_are_more_pages(site: Site) -> None:
    """Fifty on each, the newest first; a cursor of nobody's begins at the top."""
    Intake(site.store).take(*(purchase(str(number)) for number in range(60)))
    site.sign_in()
    first = site.client.get("/events").text
    assert first.count("af_purchase") == 50
    link = first.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0]
    assert site.client.get(link.replace("&amp;", "&")).text.count("af_purchase") == 10
    assert site.client.get("/events?cursor=nonsense").text.count("af_purchase") == 50


def test_who_is_not_signed_in_sees_none(site: Site) -> None:
    """He is led to the login."""
    answer = site.client.get("/events")
    assert (answer.status_code, "/login" in answer.headers["Location"]) == (303, True)
