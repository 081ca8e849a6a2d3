"""A real browser on a real site: what headers only say, it enforces."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.web.site import PASSWORD, Site

if TYPE_CHECKING:
    from playwright.sync_api import Page

CHROMIUM = Path("/usr/bin/chromium")
# As root, in a container, Chromium's own sandbox has nothing to stand on.
ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage"]

# For `pytestmark`.
NEEDS_CHROMIUM = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="apt-get install chromium"),
]

REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation",
  (event) => console.error("CSP: " + event.violatedDirective + " " + event.blockedURI));
"""


@contextmanager
def browsing(scheme: str = "light", **context: Any) -> Iterator["Page"]:
    """A fresh browser that tells of every broken policy."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="the group `e2e` installs it")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(color_scheme=scheme, **context)
        page.add_init_script(REPORT_VIOLATIONS)
        yield page
        browser.close()


class Watch:
    """What must not happen on a page: requests to others, errors, broken policies."""

    def __init__(self, page: "Page", *addresses: str) -> None:
        self.strangers: list[str] = []
        self.errors: list[str] = []
        ours = (*addresses, "data:", "blob:")
        page.on(
            "request",
            lambda r: None if r.url.startswith(ours) else self.strangers.append(r.url),
        )
        page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def saw_nothing(self) -> bool:
        """Whether all went as it should; fails with what did not."""
        assert (self.strangers, self.errors) == ([], [])
        return True


def sign_in(page: "Page", site: Site, address: str) -> None:
    """Choose a password by the link, in the browser."""
    page.goto(address + site.invite())
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Once more").fill(PASSWORD)
    page.get_by_role("button", name="Save and sign in").click()
