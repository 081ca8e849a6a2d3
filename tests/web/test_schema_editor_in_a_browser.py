"""The schema editor in a real browser: typed, checked as one types, published, rolled back."""

import pytest

from tests.web.browser import NEEDS_CHROMIUM, Watch, browsing, sign_in
from tests.web.listening import listening
from tests.web.site import Site

pytestmark = NEEDS_CHROMIUM

APP = 525463029


@pytest.mark.timeout(240)
def test_edit_check_publish_roll_back(site: Site) -> None:
    """Log in; make a mistake and see it at the cell; mend it; set a value by the grid; try a user;
    read what changes; publish; roll back. Nobody else is asked for anything meanwhile."""
    with listening(site.app) as address, browsing() as page:
        watch = Watch(page, address)
        sign_in(page, site, address)
        page.get_by_role("link", name="Schemas", exact=True).click()
        page.get_by_role("link", name="Apple's example app").click()
        page.get_by_role("link", name="Edit", exact=True).click()

        text = page.get_by_label("The schema, as YAML")
        written = text.input_value()
        text.fill(written.replace("event: tutorial}", "event: tutorail}"))
        page.get_by_text("did you mean `tutorial`?").first.wait_for()
        assert page.locator(".value.faulty b").inner_text() == "10"
        text.fill(written)
        page.get_by_text("No mistakes").wait_for()

        page.locator("[data-cell='30']").click()
        page.get_by_label("Label", exact=True).fill("Came back twice")
        page.get_by_label("Event", exact=True).fill("session")
        page.get_by_label("At least so often").fill("3")
        page.get_by_role("button", name="Set it").click()
        assert "Came back twice" in page.get_by_label("The schema, as YAML").input_value()

        page.get_by_text("What would this user send?").click()
        page.get_by_label("One event a line").fill("session 1\nsession 2\nsession 3")
        page.get_by_role("button", name="Try").click()
        page.get_by_text("fine 30 (Came back twice)").wait_for()

        page.get_by_role("button", name="Review and publish").click()
        page.get_by_role("heading", name="What changes").wait_for()
        page.get_by_label("Why").fill("sessions")
        page.get_by_role("button", name="Publish", exact=True).click()
        page.get_by_text("Version 2 is published.").wait_for()

        page.get_by_role("button", name="Roll back to version 1").click()
        page.get_by_text("Version 3 says again what version 1 says.").wait_for()
        assert watch.saw_nothing()
