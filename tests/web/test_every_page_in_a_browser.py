"""Every page there is, in a real browser: nobody is left out by how it is made."""

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from skan_receiver.delivery import registry
from skan_receiver.delivery.save import checked
from tests.web.browser import NEEDS_CHROMIUM, Watch, browsing, sign_in
from tests.web.listening import listening
from tests.web.site import Site

if TYPE_CHECKING:
    from playwright.sync_api import Page, Response

pytestmark = NEEDS_CHROMIUM

FIRST_LOAD = 500_000  # bytes, without charts
APP = 525463029

# What an address takes, whatever it is of; and where it is of something else.
VALUES = {
    "stored_id": 1,
    "app_id": APP,
    "delivery_id": 1,
    "name": "volumes",
    "which": "apps",
    "book": "costs",
    "kind": "decoded",
    "form": "csv",
}
ELSE = {"presets.show": "webhook", "destinations.show": "mmp", "destinations.edit": "mmp"}

DOWNLOADS = {"campaigns.file", "reports.file", "pages.bundled"}

# Not pages: files, fragments, and what only a link that is used once leads to.
LEFT_OUT = {"assets", "receive", "mmp", "touch", "operations", "api", "docs", "openapi"}


def paths(site: Site) -> list[str]:
    """The address of every page, with something to look at where it takes something."""
    found = []
    with site.app.test_request_context():
        adapter = site.app.url_map.bind("localhost")
        for rule in site.app.url_map.iter_rules():
            blueprint = rule.endpoint.split(".")[0]
            if blueprint in LEFT_OUT or "GET" not in (rule.methods or ()):
                continue
            # A page that takes something else is to be given it here: this fails until it is.
            values = {name: VALUES.get(name) for name in rule.arguments}
            if rule.endpoint in ELSE:
                values["name"] = ELSE[rule.endpoint]
            if rule.endpoint not in DOWNLOADS and rule.endpoint != "login.link":
                found.append(adapter.build(rule.endpoint, values))
    return sorted(set(found))


@pytest.fixture
def address(site: Site) -> Iterator[str]:
    """A site with something on every page."""
    definition = {"name": "mmp", "kind": "relay", "url": "https://mmp.example/in"}
    registry.add(site.store, checked(definition, site.settings), paused=True)
    site.receiver.now -= timedelta(days=3)
    for value in (20, 40, 63, None):
        body = site.signer.skadnetwork(conversion_value=value)
        site.receiver.receive(body, site.signer.adattributionkit())
        site.receiver.receive({**site.signer.skadnetwork(), "app-id": 7})
        site.receiver.later(days=1)
    site.receiver.settle()
    with listening(site.app) as address:
        yield address


@pytest.mark.timeout(600)
def test_no_page_keeps_anybody_out(site: Site, address: str, page: "Page") -> None:
    """Of every page: axe finds nothing serious, nobody else is asked for anything, the policy
    holds, no script fails, and a phone is wide enough."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    watch = Watch(page, address)
    sign_in(page, site, address)
    faults = []
    for path in paths(site):
        page.set_viewport_size({"width": 1280, "height": 800})
        answer = page.goto(address + path, wait_until="networkidle")
        assert answer is not None
        if "html" not in answer.headers.get("content-type", ""):
            continue
        assert answer.status == 200, f"{path}: {answer.status}"
        for one in axe.run(page).response["violations"]:
            if one["impact"] in ("serious", "critical"):
                where = [node["html"] for node in one["nodes"]][:3]
                faults.append(f"{path}: {one['id']}: {one['help']}: {where}")
        page.set_viewport_size({"width": 360, "height": 740})
        if not _fits(page):
            faults.append(f"{path}: wider than a phone")
    assert faults == []
    assert watch.saw_nothing()


def test_a_first_load_is_small(site: Site, address: str) -> None:
    """Without charts, less than half a megabyte: style, scripts and page together."""
    with browsing() as page:
        sign_in(page, site, address)
        page.wait_for_load_state("networkidle")
        page.context.new_cdp_session(page).send("Network.setCacheDisabled", {"cacheDisabled": True})
        answers: list[Response] = []
        page.on("response", lambda answer: answers.append(answer))
        for path in ("/postbacks", "/schemas", f"/schemas/{APP}", "/destinations", "/deliveries"):
            answers.clear()
            page.goto(address + path, wait_until="networkidle")
            size = sum(len(answer.body()) for answer in answers if answer.status < 300)
            assert 10_000 < size < FIRST_LOAD, f"{path}: {size} bytes"


def _fits(page: "Page") -> bool:
    """Whether nothing is wider than the window, once charts have drawn themselves anew."""
    for _ in range(20):
        if page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
            return True
        page.wait_for_timeout(100)
    return False
