"""Signing in by a provider, in a real browser, which keeps the cookie and follows the way."""

from pathlib import Path
from typing import TYPE_CHECKING

from tests.web.browser import NEEDS_CHROMIUM, Watch
from tests.web.listening import listening
from tests.web.provider import CLIENT, SECRET, providing
from tests.web.site import Site

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = NEEDS_CHROMIUM


def test_there_and_back(sqlite_url: str, tmp_path: Path, page: "Page") -> None:
    """From the page that was wanted over the login and the provider to that page, and out."""
    with providing() as provider:
        site = Site(
            sqlite_url,
            tmp_path,
            oidc_issuer=provider.url,
            oidc_client_id=CLIENT,
            oidc_client_secret=SECRET,
            oidc_name="Corp",
            oidc_role="viewer",
        )
        with listening(site.app) as address:
            watch = Watch(page, address, provider.url)
            page.goto(f"{address}/reports")
            page.get_by_role("link", name="Sign in with Corp").click()
            page.get_by_role("heading", name="Reports", level=1).wait_for()
            assert page.get_by_text("ada@corp.example viewer").is_visible()
            page.get_by_role("button", name="Sign out").click()
            page.get_by_role("link", name="Sign in with Corp").wait_for()
        site.close()
    assert watch.saw_nothing()
