"""A destination in a real browser: from the gallery to a replay."""

from pathlib import Path

import pytest

from tests.sink import answers, sink
from tests.web.browser import NEEDS_CHROMIUM, Watch, browsing, sign_in
from tests.web.listening import listening
from tests.web.site import Site
from tests.web.test_destination_pages import deliver

pytestmark = NEEDS_CHROMIUM


@pytest.mark.timeout(240)
def test_add_test_deliver_replay(sqlite_url: str, tmp_path: Path) -> None:
    """Choose a preset, see its request, add it, send a test, see a postback delivered, replay it,
    and find that postback by its id."""
    site = Site(sqlite_url, tmp_path, private_destinations=True)
    with sink(answers(200)) as open_, listening(site.app) as address, browsing() as page:
        watch = Watch(page, address)
        sign_in(page, site, address)
        page.get_by_role("link", name="Destinations", exact=True).click()
        page.get_by_role("link", name="Add one").click()
        page.locator("a[href='/presets/webhook-relay']").click()
        page.get_by_label("Name here").fill("hook")
        page.get_by_label("url").fill("https://127.0.0.1:9/in")
        page.get_by_label("signing").fill(f"whsec_{'a' * 32}")
        page.get_by_role("button", name="Add it").click()

        page.get_by_role("heading", name="hook").wait_for()
        page.get_by_role("link", name="Edit", exact=True).click()
        text = page.get_by_label("Its definition, as YAML")
        text.fill(text.input_value().replace("https://127.0.0.1:9/", open_.url))
        page.get_by_role("button", name="Check, and show").click()
        page.get_by_role("heading", name="The request, which was not sent").wait_for()
        page.get_by_role("button", name="Save").click()
        page.get_by_role("button", name="Send a test").click()
        page.get_by_text("taken", exact=True).wait_for()

        body = site.signer.skadnetwork(conversion_value=20)
        site.receiver.receive(body)
        site.receiver.settle()
        deliver(site, 1)
        page.get_by_role("link", name="Deliveries", exact=True).click()
        page.get_by_role("link", name="1", exact=True).click()
        page.get_by_role("button", name="Replay it").click()
        page.get_by_text("It is owed anew, and due at once.").wait_for()

        page.get_by_role("link", name="Postbacks", exact=True).click()
        page.get_by_label("Postback id").fill(str(body["transaction-id"]))
        page.get_by_role("button", name="Search").click()
        page.locator("tbody a").first.click()
        page.get_by_role("heading", name=str(body["transaction-id"])).wait_for()
        assert page.get_by_text("hook").first.is_visible()
        assert watch.saw_nothing()
    site.close()
