"""What is open, and what is not."""

import re
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from skan_receiver.testing import encode
from tests.delivery.owing import Books, relay
from tests.web.site import Site

# The only paths that need neither a key nor a login, and why.
OPEN = (
    r"/\.well-known/.*",  # Apple's devices
    r"/receive(/.*)?",  # Apple's devices, and forwarders with their own tokens
    r"/mmp/.*",  # MMPs, each with a token in its address
    r"/touch(/.*)?",  # users of tracking links, and networks' servers with their own tokens
    r"/livez|/healthz|/readyz",  # balancers and supervisors
    r"/static/.*",  # the login's style
    r"/login(/.*)?",  # the way in; a link is its own proof
)
DEVICES = OPEN[:3]
FOR_KEYS = ("/api/v1/", "/metrics", "/api/openapi")
VALUES: dict[str, object] = {
    "stored_id": 1,
    "id": 1,
    "name": "volumes",
    "form": "csv",
    "filename": "css/swagger-ui.css",
    "app_id": 525463029,
    "number": 1,
    "delivery_id": 1,
    "key_id": 1,
    "kind": "relay",
    "which": "apps",
    "book": "costs",
    "rule": "null_rate",
}
# Where a name or number is of something else; a key that revokes itself sees no more.
ELSE: dict[str, dict[str, object]] = {
    "presets.show": {"name": "webhook"},
    "presets.use": {"name": "webhook"},
    "api.revoke_key": {"id": 999},
}
QUERIES = {"api.diff_schema": "?was=1&now=1"}


def addresses(site: Site, but: Sequence[str] = OPEN) -> list[tuple[str, str]]:
    """Every method and path of the application, but for some."""
    adapter = site.app.url_map.bind("localhost")
    found = []
    for rule in site.app.url_map.iter_rules():
        else_ = ELSE.get(rule.endpoint, {})
        values = {name: VALUES.get(name, "x") for name in rule.arguments} | else_
        path = adapter.build(rule.endpoint, values) + QUERIES.get(rule.endpoint, "")
        methods = (rule.methods or set()) - {"OPTIONS", "HEAD"}
        found += [(method, path) for method in methods if not among(but, rule)]
    return found


def among(paths: Sequence[str], rule: Rule) -> bool:
    return any(re.fullmatch(path, rule.rule) for path in paths)


def test_everything_else_needs_a_key_or_a_login(site: Site) -> None:
    """Strangers get 401, or are sent to the login: for every path there is, on every method."""
    walked = addresses(site)
    assert {"/", "/postbacks/1", "/api/v1/postbacks", "/api/docs", "/metrics", "/logout"} <= {
        path for _, path in walked
    }
    for method, path in walked:
        answer = site.browser().open(path, method=method)
        to_login = answer.status_code == 303 and answer.location.startswith("/login")
        unbelieved = path == "/logout" and answer.status_code == 400
        assert to_login or unbelieved or answer.status_code == 401, (method, path, answer.status)


def test_who_is_signed_in_may_look_everywhere_but_at_the_api(site: Site) -> None:
    """The API takes keys alone: a browser sends its cookie for whoever asks it to."""
    browser = site.sign_in()
    Books(site.store).owe([relay("https://a.example/", "volumes")])
    for method, path in addresses(site):
        if method == "GET":
            expected = 401 if path.startswith("/api/v1/") else 200
            assert _status(browser, path) == expected, path


def _status(browser: FlaskClient, path: str) -> int:
    """Where it leads in the end."""
    return browser.get(path, buffered=True, follow_redirects=True).status_code


@pytest.mark.parametrize(
    ("scopes", "partner", "expected"),
    [
        (("read",), None, 200),
        (("admin",), None, 200),
        (("write", "replay", "events"), None, 403),
        (("partner",), "a network", 403),
    ],
)
def test_a_key_reads_if_it_may(
    site: Site, scopes: tuple[str, ...], partner: str | None, expected: int
) -> None:
    """A partner's key sees nothing yet, rather than everything."""
    key = site.key(*scopes, partner=partner)
    Books(site.store).owe([relay("https://a.example/", "volumes")])
    telling = {"event_id": "1", "kind": "install", "at": "2026-03-04"}
    told = site.client.post(
        "/api/v1/events", json={"events": [telling]}, headers=site.key("events")
    )
    assert told.status_code == 200
    asked = [one for one in addresses(site) if one[1].startswith(FOR_KEYS)]
    for method, path in asked:
        if reads(method, path):
            answer = site.browser().open(path, method=method, headers=key, data=SENT.get(path))
            seen = expected if "admin" in scopes or not path.startswith(OF_ADMINS[:3]) else 403
            # There is no channel yet: whoever may look is told so.
            seen = 404 if seen == 200 and path.startswith(CHANNEL) else seen
            assert answer.status_code == seen, path
    for method, path in asked:
        if not reads(method, path):
            answer = site.browser().open(path, method=method, headers=key)
            # What cannot be undone is for who may do anything.
            of_admins = path == ERASES or path.startswith(OF_ADMINS)
            forbidden = {"write", "replay", "events"} if of_admins else set()
            may = not {"read", "partner", *forbidden}.issuperset(scopes)
            assert (answer.status_code not in (401, 403)) == may, (method, path)


SENT = {"/api/v1/postbacks/find": "an id"}
LOOKS = ("/api/v1/verify", "/api/v1/uploads/check", "/api/v1/postbacks/find")
ERASES = "/api/v1/events/erase"
CHANNEL = "/api/v1/alerts/channels/"
OF_ADMINS = (
    *("/api/v1/users", "/api/v1/keys", "/api/v1/audit"),
    *("/api/v1/apps", "/api/v1/networks", CHANNEL),
)


def reads(method: str, path: str) -> bool:
    """Whether it changes nothing."""
    return method == "GET" or path in LOOKS


@pytest.mark.parametrize("header", ["Bearer skan_x", "Bearer", "Basic YTpi", "skan_x", ""])
def test_what_is_no_key_is_told_how_to_send_one(site: Site, header: str) -> None:
    """401 with the scheme, as a problem."""
    answer = site.browser().get("/api/v1/postbacks", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.content_type == "application/problem+json"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_every_answer_to_a_browser_is_hardened(site: Site) -> None:
    """At every address, on every method, whoever asks, and where there is nothing. Only what
    devices and forwarders post has no such headers: nobody reads them there."""
    site.receiver.receive(site.signer.skadnetwork())
    askers = [(site.browser(), {}), (site.browser(), site.key("read")), (site.sign_in(), {})]
    missed = ("/nope", "/api/nope", "/api/v1/nope", "/postbacks/9", "/static/nope", "/receive/_")
    asked = {*addresses(site, but=DEVICES), *product(("GET", "BREW", "OPTIONS"), missed)}
    asked |= {("GET", path) for _, path in addresses(site, but=())}
    asked |= {("DELETE", path) for _, path in addresses(site, but=())}
    assert {("GET", "/receive"), ("GET", "/readyz"), ("POST", "/login")} <= asked
    for (method, path), (browser, key) in product(sorted(asked), askers):
        if path != "/logout":
            check(browser.open(path, method=method, headers=key, buffered=True))
    check(site.client.post("/logout"))


def check(answer: TestResponse) -> None:
    said, asked = answer.headers, f"{answer.request.method} {answer.request.path} {answer.status}"
    assert "default-src 'self'" in said.get("Content-Security-Policy", ""), asked
    assert "unsafe" not in said["Content-Security-Policy"], asked
    assert said["X-Content-Type-Options"] == "nosniff", asked
    assert said["Referrer-Policy"] == "no-referrer", asked
    files = re.match("/static/|/api/docs/swagger/", answer.request.path)
    assert said["Cache-Control"] in ({"no-cache", "no-store"} if files else {"no-store"}), asked


@pytest.mark.parametrize("path", ["/metrics", "/readyz", "/nope", "/api/v1/nope", "/receive"])
def test_browsers_are_asked_to_stay_with_tls(sqlite_url: str, tmp_path: Path, path: str) -> None:
    """By every answer, since any may be the first that a browser sees."""
    site = Site(sqlite_url, tmp_path, public_url="https://skan.example")
    answer = site.client.get(path, base_url="https://skan.example")
    site.close()
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_devices_are_answered_in_few_bytes(site: Site) -> None:
    """They are many, and look at the status alone."""
    answer = site.client.post("/receive", data=encode(site.signer.skadnetwork()))
    assert answer.status_code == 200
    assert "Content-Security-Policy" not in answer.headers


def test_no_page_has_script_or_style_in_it(site: Site) -> None:
    """The policy would forbid it; a data block is no script."""
    site.sign_in()
    site.receiver.receive(site.signer.skadnetwork())
    site.receiver.settle()
    for path in ("/", "/postbacks", "/postbacks/1", "/api/docs", "/login/x"):
        page = site.client.get(path).text
        assert re.findall(r"<script(?![^>]*(?:src=|application/json))", page) == []
        assert re.findall(r"<style|\sstyle=|\son[a-z]+=|javascript:", page) == []
