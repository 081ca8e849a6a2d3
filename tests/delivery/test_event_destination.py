"""Events of users go where they are mapped to, each with what consent lets through."""

from urllib.parse import parse_qs, urlsplit

from skan_receiver.mmp.event import Att, Signals
from skan_receiver.storage import Store
from tests.delivery.eventing import PERSON, Intake, destination, purchase
from tests.sink import sink


def test_an_event_is_sent_with_what_was_consented_to(store: Store) -> None:
    """By the partner's name for it."""
    with sink() as open_:
        intake = Intake(store)
        intake.define(destination(open_.url + "?e={event}&idfa={idfa}&v={revenue}{&currency}"))
        intake.take(purchase())
        intake.deliver()
    (got,) = open_.received
    assert got.method == "GET"
    query = parse_qs(urlsplit(got.path).query)
    assert query == {"e": ["Purchase"], "idfa": [PERSON.idfa], "v": ["9.99"], "currency": ["USD"]}


def test_what_is_withheld_leaves_no_trace(store: Store) -> None:
    """Neither a value nor an empty parameter, nor an empty header."""
    with sink() as open_:
        intake = Intake(store)
        url = open_.url + "?e={event}&idfa={idfa}&ip={ip}{&click_id}"
        headers = {"X-Forwarded-For": "{ip}"}
        intake.define(destination(url, takes_bare=True, headers=headers))
        intake.take(purchase(signals=Signals(att=Att.DENIED)))
        intake.deliver()
    (got,) = open_.received
    assert got.path == "/in?e=Purchase"
    assert "x-forwarded-for" not in got.headers
