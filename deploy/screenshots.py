"""Screenshots of every page on the demo, light and dark, for docs/pages.md.

    python deploy/screenshots.py [FOLDER]     # default: docs/pages

Needs Chromium, and what `make setup .venv/.dev` installs. Makes a demo under a folder of its own.
"""

import os
import re
import subprocess
import sys
import tempfile
import threading
from datetime import UTC, datetime
from logging import ERROR, getLogger
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from werkzeug.serving import make_server

from skan_receiver.alerting import watch
from skan_receiver.config import Settings
from skan_receiver.storage import Store, access
from skan_receiver.web import create_app

ROOT = Path(__file__).parent.parent
CHROMIUM = "/usr/bin/chromium"
SIZE = {"width": 1200, "height": 860}
PHONE = {"width": 390, "height": 844}
APP = "525463029"

# name -> path; each is taken light and dark.
PAGES = {
    "dashboard": "/",
    "postbacks": "/postbacks",
    "postback": "/postbacks/1",
    "absent": "/postbacks?id=00000000-0000-0000-0000-000000000000",
    "upload": "/upload",
    "events": "/events",
    "reports": "/reports",
    "report-revenue": "/reports/revenue",
    "report-reconcile": "/reports/reconcile?statement=demo-mmp",
    "schemas": "/schemas",
    "schema": f"/schemas/{APP}",
    "schema-editor": f"/schemas/{APP}/edit",
    "campaigns": "/campaigns",
    "costs": "/costs",
    "destinations": "/destinations",
    "presets": "/presets",
    "preset": "/presets/webhook-relay",
    "template": "/presets/own/decoded",
    "destination": "/destinations/daily-results",
    "deliveries": "/deliveries",
    "delivery": "/deliveries/1",
    "alerts": "/alerts",
    "alert-rules": "/alerts/rules",
    "alert-channels": "/alerts/channels",
    "settings": "/settings",
    "apps": "/settings/apps",
    "networks": "/settings/networks",
    "users": "/settings/users",
    "keys": "/settings/keys",
    "audit": "/settings/audit",
    "test": "/settings/test",
}
ON_A_PHONE = ("dashboard", "schema", "postback")


def main(folder: Path) -> None:
    """Make the demo, serve it, take the pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as var:
        environment = {**os.environ, "SKAN_VAR": var}
        command = [sys.executable, "-m", "skan_receiver", "demo", "--no-serve"]
        subprocess.run(command, check=True, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL)
        look_for_alerts(Path(var) / "demo")
        shoot(Path(var) / "demo", folder)


def look_for_alerts(demo: Path) -> None:
    """As the worker does every minute; a store that trusts test keys has one to show."""
    settings = settings_of(demo)
    store = Store(settings.database)
    watch.check(store, settings.model_copy(update={"sandbox": False}), datetime.now(UTC))
    store.close()


def shoot(demo: Path, folder: Path) -> None:
    """Serve a demo's folder from this process, and look at it."""
    settings = settings_of(demo)
    token = access.ensure_admin(Store(settings.database), datetime.now(UTC))
    server = make_server("127.0.0.1", 0, create_app(settings), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    getLogger("werkzeug").setLevel(ERROR)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport=SIZE)
        base = f"http://127.0.0.1:{server.port}"
        take(page, f"{base}/login", folder / "login", SIZE)
        sign_in(page, f"{base}/login/{token}")
        for name, path in PAGES.items():
            take(page, base + path, folder / name, SIZE)
            if name in ON_A_PHONE:
                take(page, base + path, folder / f"{name}-phone", PHONE)
        browser.close()
    server.shutdown()


def settings_of(demo: Path) -> Settings:
    """Those of a demo in this folder."""
    return Settings(
        var=demo,
        sandbox=True,
        public_url="http://127.0.0.1:8000",
        test_keys=demo / "simulator" / "test-keys.json",
        schemas=demo / "conversion_schemas",
        database_url=f"sqlite:///{demo / 'skan.sqlite3'}",
    )


def sign_in(page: Page, link: str) -> None:
    """Choose a password by the link."""
    page.goto(link)
    for label in ("Password", "Once more"):
        page.get_by_label(label).fill("correct horse battery staple")
    page.get_by_role("button", name="Save and sign in").click()


def take(page: Page, url: str, file: Path, size: dict[str, int]) -> None:
    """Both colour schemes; the whole page, up to a length that one still looks at."""
    page.set_viewport_size(size)  # type: ignore[arg-type]
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        answer = page.goto(url, wait_until="networkidle")
        if answer is None or not answer.ok:
            raise SystemExit(f"{url}: {answer and answer.status}")
        height = page.evaluate("document.documentElement.scrollHeight")
        page.screenshot(
            path=f"{file}-{scheme}.jpg",
            type="jpeg",
            quality=55,
            full_page=True,
            clip={"x": 0, "y": 0, "width": size["width"], "height": min(height, 1700)},
        )
        sys.stdout.write(f"{re.sub(r'^.*/', '', str(file))} {scheme}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "pages")
