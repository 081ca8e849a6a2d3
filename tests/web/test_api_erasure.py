"""`/api/v1/events/erase`."""

from typing import Any

from skan_receiver.storage import StoredEvent, Tombstone
from tests.delivery.eventing import PERSON, Intake, purchase
from tests.web.site import Site

PATH = "/api/v1/events/erase"


def test_a_person_is_erased_over_the_api(either_site: Site) -> None:
    """By an administrator's key; the answer names nobody."""
    Intake(either_site.store).take(purchase())
    body = {"name": "customer_user_id", "value": " customer-8f3a "}
    for scopes in ("read", "write", "events"):
        refused = either_site.client.post(PATH, json=body, headers=either_site.key(scopes))
        assert refused.status_code == 403
    answer = either_site.client.post(PATH, json=body, headers=either_site.key("admin"))
    assert answer.status_code == 200
    told: Any = answer.json
    assert told["erased"] == {"events": 1}
    assert {"name": "idfa", "value": f"{str(PERSON.idfa)[:4]}…"} in told["followed"]
    assert str(PERSON.idfa) not in answer.text
    assert either_site.receiver.rows(StoredEvent) == []
    assert len(either_site.receiver.rows(Tombstone)) == 5


def test_what_names_nobody_is_refused(site: Site) -> None:
    """With the field."""
    for body in ({"name": "ip", "value": "1"}, {"name": "idfa", "value": " "}, {"name": "idfa"}):
        assert site.client.post(PATH, json=body, headers=site.key("admin")).status_code == 422
