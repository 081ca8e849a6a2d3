"""The address that Apple's devices will use: asked as they would, from where we are."""

import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import urllib3

from skan_receiver.doctor.finding import Finding, bad, good, warning

PATHS = (
    "/.well-known/skadnetwork/report-attribution",
    "/.well-known/appattribution/report-attribution",
)

# AdAttributionKit bodies are about 1 KB; we take 16 KiB, and so must what is in front of us.
LARGE = 15 * 1024

# No JSON, so that a receiver refuses it and keeps nothing.
KNOCK = b"doctor"

SOON_DAYS = 14
MOST_SKEW_SECONDS = 60
SECONDS = 15.0


def look_at_site(url: str, now: datetime) -> list[Finding]:
    """Whether postbacks sent to `url` (scheme and host) would get through."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return [bad(url, "is no address: write https://example.com")]
    findings = list(_certificate(parts.hostname, parts.port or 443, parts.scheme, now))
    http = urllib3.PoolManager(retries=False, timeout=SECONDS)
    base = f"{parts.scheme}://{parts.netloc}"
    for path in PATHS:
        for form in (path + "/", path):
            findings += _path(http, base, form, now)
    return findings


def _certificate(host: str, port: int, scheme: str, now: datetime) -> Iterator[Finding]:
    if scheme == "http":
        yield warning("certificate", "none: Apple sends to https only")
        return
    try:
        with (
            socket.create_connection((host, port), SECONDS) as plain,
            ssl.create_default_context().wrap_socket(plain, server_hostname=host) as secure,
        ):
            certificate, version = secure.getpeercert() or {}, secure.version()
    except ssl.SSLCertVerificationError as error:
        yield bad("certificate", f"devices will not accept it: {error.verify_message}")
        return
    except OSError as error:
        yield bad("certificate", f"no connection to {host}:{port}: {error}")
        return
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)
    days = (ends - now).days
    tell = warning if days < SOON_DAYS else good
    yield tell("certificate", f"valid for {days} more days, {version}")


def _path(http: urllib3.PoolManager, base: str, path: str, now: datetime) -> Iterator[Finding]:
    try:
        shown = http.request("GET", base + path, redirect=False)
        small = http.request("POST", base + path, body=KNOCK, redirect=False)
        large = http.request("POST", base + path, body=KNOCK.ljust(LARGE, b"x"), redirect=False)
    except urllib3.exceptions.HTTPError as error:
        yield bad(path, f"no answer: {error}")
        return
    yield _posted(path, small, "POST")
    if small.status == 400 and large.status != 400:
        yield bad(path, f"{LARGE // 1024} KiB are answered {large.status}: something is cut off")
    if 300 <= shown.status < 400:
        yield bad(path, f"GET redirects to {shown.headers.get('Location')}")
    yield from _skew(path, small, now)


def _posted(path: str, answer: urllib3.BaseHTTPResponse, what: str) -> Finding:
    status, kind = answer.status, answer.headers.get("Content-Type", "")
    if 300 <= status < 400:
        where = answer.headers.get("Location")
        return bad(path, f"{what} redirects to {where}: answer here, with 200")
    if status in (401, 403, 429, 503) or "cf-mitigated" in answer.headers:
        return bad(path, f"{what} is answered {status}: a bot challenge or login is in the way")
    if status == 400 and "json" in kind:
        return good(path, f"{what} arrives, and what is no JSON is refused")
    if status == 404:
        return bad(path, f"{what} is answered 404: the receiver is not reached here")
    if "html" in kind:
        return bad(path, f"{what} is answered by a web page ({status}): not by the receiver")
    return warning(path, f"{what} is answered {status}: is this skan-receiver?")


def _skew(path: str, answer: urllib3.BaseHTTPResponse, now: datetime) -> Iterator[Finding]:
    try:
        there = parsedate_to_datetime(answer.headers.get("Date", ""))
    except ValueError:
        return
    seconds = abs((there - now).total_seconds())
    if path == PATHS[0] + "/" and seconds > MOST_SKEW_SECONDS:
        yield warning("clock", f"here and there are {seconds:.0f} seconds apart")
