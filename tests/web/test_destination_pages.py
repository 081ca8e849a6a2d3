"""Destinations and deliveries in the browser, without JavaScript."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from skan_receiver.delivery import Deliverer, registry
from skan_receiver.delivery.presets import PRESETS
from skan_receiver.storage import Delivery
from skan_receiver.web.destination_form import BEGINNINGS
from skan_receiver.worker import sender
from tests.sink import answers, sink
from tests.web.site import Site, token_of

RELAY = "name: copy\nkind: relay\nurl: {url}\n"


@pytest.fixture
def site(sqlite_url: str, tmp_path: Path) -> Iterator[Site]:
    """A site that may send to this machine."""
    site = Site(sqlite_url, tmp_path, private_destinations=True)
    site.sign_in()
    yield site
    site.close()


def post(site: Site, path: str, **fields: object) -> TestResponse:
    token = token_of(site.client.get("/postbacks"))
    return site.client.post(path, data={"csrf_token": token, **fields})


def add(site: Site, url: str) -> TestResponse:
    return post(site, "/presets/own/relay", text=RELAY.format(url=url), do="save")


def deliver(site: Site, until: int) -> None:
    """Work until so many deliveries are settled."""
    deliverer = Deliverer(site.store, sender(site.settings, site.store))
    end = time.monotonic() + 20
    while time.monotonic() < end:
        deliverer.step()
        if sum(row.state in ("done", "dead") for row in site.receiver.rows(Delivery)) >= until:
            break
        deliverer.wake.wait(0.05)
    deliverer.finish()


def test_every_preset_has_a_page_that_asks_for_what_it_needs(site: Site) -> None:
    """Each with its parameters, secrets as passwords."""
    gallery = site.client.get("/presets").text
    for name, preset in PRESETS.items():
        assert f"/presets/{name}" in gallery
        page = site.client.get(f"/presets/{name}").text
        for one in preset.parameters:
            assert f'name="{one.name}"' in page
        assert page.count('type="password"') == sum(one.secret for one in preset.parameters)


def test_a_preset_is_tried_before_it_is_added(site: Site) -> None:
    """The request for a made-up postback; what is missing is said at its field."""
    wrong = post(site, "/presets/webhook-relay", name="hook", do="preview")
    assert wrong.status_code == 422
    assert 'id="wrong-signing"' in wrong.text

    given = {"name": "hook", "url": "https://127.0.0.1:9/in", "signing": f"whsec_{'a' * 32}"}
    shown = post(site, "/presets/webhook-relay", do="preview", **given)
    assert shown.status_code == 200
    assert given["signing"] not in shown.text
    assert post(site, "/presets/webhook-relay", do="add", **given).status_code == 303
    shown = post(site, "/destinations/hook/test", do="show")
    assert "which was not sent" in shown.text
    assert "POST https://127.0.0.1:9/in" in shown.text
    assert given["signing"] not in shown.text
    again = post(site, "/presets/webhook-relay", do="add", **given)
    assert "there is a destination &#39;hook&#39; already" in again.text


def test_from_the_template_to_a_delivery_and_its_replay(site: Site) -> None:
    """Add, test, receive a postback, see it delivered, replay it; all of it in the audit log."""
    with sink(answers(200)) as open_:
        assert add(site, open_.url).status_code == 303
        tested = post(site, "/destinations/copy/test", do="send")
        assert "taken" in tested.text
        assert len(open_.received) == 1

        site.receiver.receive(site.signer.skadnetwork(conversion_value=20))
        site.receiver.settle()
        deliver(site, 1)
        assert "delivered" in site.client.get("/deliveries?destination=copy").text
        page = site.client.get("/deliveries/1").text
        assert "Replay it" in page
        assert post(site, "/deliveries/1/replay").status_code == 303
        assert "waiting" in site.client.get("/deliveries/1").text
        deliver(site, 1)
        assert len(open_.received) == 3
        assert open_.received[2].id == open_.received[1].id
    told = [row.action for row in site.deeds()]
    assert told == ["delivery.replay", "destination.test", "destination.add"]


def test_many_are_replayed_once_it_is_said_how_many(site: Site) -> None:
    """First a number, then the deed."""
    with sink(answers(200)) as open_:
        add(site, open_.url)
        for _ in range(3):
            site.receiver.receive(site.signer.skadnetwork(conversion_value=20))
        site.receiver.settle()
        deliver(site, 3)
        asked = post(site, "/deliveries/replay", destination="copy", state="done")
        assert "Replay 3 deliveries?" in asked.text
        done = post(site, "/deliveries/replay", destination="copy", state="done", sure="yes")
        assert done.status_code == 303
    assert {row.state for row in site.receiver.rows(Delivery)} == {"owed"}


@pytest.mark.parametrize("kind", BEGINNINGS)
def test_every_kind_has_a_beginning_without_mistakes(site: Site, kind: str) -> None:
    """Whoever begins with it has only to say where to."""
    page = site.client.get(f"/presets/own/{kind}").text
    assert "data-macro" in page
    local = BEGINNINGS[kind].replace("partner.example", "127.0.0.1")
    answer = post(site, f"/presets/own/{kind}", text=local, do="check")
    assert answer.status_code == 200, re.findall(r'<li class="bad">.*?</li>', answer.text)


def test_mistakes_are_said_by_field_and_the_text_stays(site: Site) -> None:
    """Also what is no YAML at all, and a macro that would identify somebody."""
    bad = RELAY.format(url="http://127.0.0.1:9/?id={idfa}")
    answer = post(site, "/presets/own/relay", text=bad, do="save")
    assert answer.status_code == 422
    assert "<code>url</code>" in answer.text
    assert "idfa" in answer.text
    assert "is no YAML" in post(site, "/presets/own/relay", text="a: [", do="save").text


def test_two_who_change_one_at_once_lose_nothing(site: Site) -> None:
    """The slower one sees both."""
    add(site, "http://127.0.0.1:9/")
    first = RELAY.format(url="http://127.0.0.1:9/first")
    second = RELAY.format(url="http://127.0.0.1:9/second")
    edit = "/destinations/copy/edit"
    assert post(site, edit, text=first, revision=1, do="save").status_code == 303
    late = post(site, edit, text=second, revision=1, do="save")
    assert late.status_code == 409
    assert "/first" in late.text
    assert "/second" in late.text
    assert post(site, edit, text=second, revision=2, do="save").status_code == 303


def test_pause_and_remove(site: Site) -> None:
    """Removing says first what it costs."""
    add(site, "http://127.0.0.1:9/")
    post(site, "/destinations/copy/pause")
    assert "paused" in site.client.get("/destinations").text
    post(site, "/destinations/copy/resume")
    assert "Remove copy?" in post(site, "/destinations/copy/remove").text
    assert post(site, "/destinations/copy/remove", sure="yes").status_code == 303
    with site.store.read() as connection:
        assert registry.entries(connection) == ()


def test_viewers_see_no_address_and_change_nothing(site: Site) -> None:
    """Keys may be written into a URL."""
    add(site, "http://127.0.0.1:9/?key=abcdef123456")
    token = token_of(site.client.get("/postbacks"))
    site.store.write(lambda c: c.exec_driver_sql("UPDATE account SET role = 'viewer'"))
    for path in ("/destinations", "/destinations/copy", "/deliveries"):
        page = site.client.get(path)
        assert page.status_code == 200
        assert "abcdef123456" not in page.text
    assert site.client.get("/destinations/copy/edit").status_code == 403
    for path in ("pause", "resume", "test", "remove", "edit", "secrets"):
        answer = site.client.post(f"/destinations/copy/{path}", data={"csrf_token": token})
        assert answer.status_code == 403, path


def test_who_sees_some_apps_sees_no_destinations(site: Site) -> None:
    """They are of all apps together."""
    site.store.write(lambda c: c.exec_driver_sql("UPDATE account SET apps = '42'"))
    assert site.client.get("/destinations").status_code == 403
    assert site.client.get("/deliveries").status_code == 403
