"""The pages in a real browser, which enforces what headers only say."""

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.web.browser import NEEDS_CHROMIUM, Watch, browsing, sign_in
from tests.web.listening import listening
from tests.web.site import Site

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = NEEDS_CHROMIUM


@pytest.fixture
def address(site: Site) -> Iterator[str]:
    """A site with a few days of postbacks."""
    site.receiver.now -= timedelta(days=3)
    for _ in range(4):
        sign = site.signer
        site.receiver.receive(sign.skadnetwork(conversion_value=20), sign.adattributionkit())
        site.receiver.receive({**sign.skadnetwork(), "app-id": 7})
        site.receiver.later(days=1)
    site.receiver.settle()
    with listening(site.app) as address:
        yield address


def test_from_the_link_to_a_postbacks_story(site: Site, address: str, page: "Page") -> None:
    """Choose a password, see the chart, find a postback, read its story, try the API's page,
    sign out: without a request to anybody else, an error, or a broken policy."""
    watch = Watch(page, address)
    sign_in(page, site, address)

    # Four days, three postbacks each, drawn as bars of two verdicts.
    page.locator("#chart svg path[aria-roledescription='bar']").first.wait_for()
    assert page.locator("#chart svg path[aria-roledescription='bar']").count() >= 8
    assert page.locator("#chart-table").get_attribute("open") is None

    with site.store.read() as connection:
        wanted = connection.exec_driver_sql(
            "SELECT postback_id FROM postback WHERE id = 1"
        ).scalar_one()
    page.get_by_role("link", name="Postbacks", exact=True).click()
    page.get_by_label("Postback id").fill(wanted.upper())
    page.get_by_role("button", name="Search").click()
    page.locator("tbody a").first.click()
    assert page.get_by_role("heading", level=1).inner_text() == wanted
    assert page.get_by_role("heading", name="Arrivals").is_visible()

    page.get_by_role("link", name="API").click()
    page.get_by_text("/api/v1/verify").wait_for()
    page.go_back()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("heading", name="Sign in").wait_for()

    assert watch.saw_nothing()


def test_no_page_is_wider_than_a_phone(site: Site, address: str, page: "Page") -> None:
    """Tables scroll in their own frame; the page does not, however long a stranger's words."""
    longest = "a" * 255
    site.receiver.receive(site.signer.skadnetwork(transaction_id=longest, ad_network_id=longest))
    page.set_viewport_size({"width": 360, "height": 740})
    sign_in(page, site, address)
    for path in ("/", "/postbacks", "/postbacks/1", "/postbacks/13", "/login"):
        page.goto(address + path, wait_until="networkidle")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_the_chart_is_a_table_without_javascript(site: Site, address: str) -> None:
    """Whoever has switched it off misses the drawing, and no number."""
    with browsing(java_script_enabled=False) as page:
        sign_in(page, site, address)
        table = page.locator("#chart-table table")
        assert table.is_visible()
        assert table.locator("tbody tr").count() == 4
        assert not page.locator("#chart").is_visible()


def test_revenue_of_a_year_comes_by_itself(site: Site, address: str, page: "Page") -> None:
    """The page is there at once; what takes a moment follows, where it belongs."""
    watch = Watch(page, address)
    sign_in(page, site, address)
    page.get_by_role("link", name="year").click()
    page.locator("#revenue .figure").first.wait_for()
    assert page.locator("#revenue").count() == 1
    assert page.get_by_role("heading", name="Revenue", exact=True).is_visible()
    assert watch.saw_nothing()
