"""`/api/v1/events/{id}/decisions`: who was sent an event, who was not, and why."""

from typing import Any

from skan_receiver.mmp.event import Att, Signals
from tests.delivery.eventing import Intake, destination, purchase
from tests.web.site import Site

URL = "https://acme.example/pb?event={event}"


def got(site: Site, path: str) -> Any:
    return site.client.get(path, headers=site.key("read"))


def test_each_no_has_its_reason(either_site: Site) -> None:
    """As `events explain` tells it."""
    intake = Intake(either_site.store)
    intake.define(destination(URL, "bare", takes_bare=True), destination(URL, "network"))
    (id_,) = intake.take(purchase(signals=Signals(att=Att.DENIED)))
    bare, network = got(either_site, f"/api/v1/events/{id_}/decisions").json["decisions"]
    assert (bare["outcome"], bare["reason"], bare["state"]) == ("owed", "", "owed")
    assert bare["withheld"]["idfa"].startswith("App Tracking Transparency")
    assert (network["outcome"], network["delivery"]) == ("held", None)
    one = got(either_site, f"/api/v1/events/{id_}/decisions?destination=network").json
    assert one["decisions"] == [network]


def test_what_there_is_not_is_404(either_site: Site) -> None:
    """An event as well as a destination."""
    intake = Intake(either_site.store)
    (id_,) = intake.take(purchase())
    assert got(either_site, f"/api/v1/events/{id_ + 1}/decisions").status_code == 404
    assert got(either_site, f"/api/v1/events/{id_}/decisions?destination=x").status_code == 404


def test_a_destination_of_events_is_tried_over_the_api(either_site: Site) -> None:
    """With an event of nobody, or a stored one by its number, and then who it was is not shown."""
    intake = Intake(either_site.store)
    intake.define(destination(URL + "&id={idfa}"))
    (id_,) = intake.take(purchase())
    path, key = "/api/v1/destinations/acme/test", either_site.key("write")
    made_up, stored = (str(asked(either_site, path, key, body)) for body in ({}, {"event": id_}))
    assert made_up.endswith("?event=Purchase&id=FFFFFFFF-FFFF-4FFF-8FFF-FFFFFFFFFFFF")
    assert stored.endswith("?event=Purchase&id=•••")


def asked(site: Site, path: str, key: Any, body: Any) -> Any:
    answer: Any = site.client.post(path, json=body, headers=key).json
    return answer["request"]["url"]
