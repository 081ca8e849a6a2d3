"""An app's Info.plist: whether Apple will send copies of its postbacks, and where to."""

import plistlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.parsers.expat import ExpatError

from skan_receiver.doctor.finding import Finding, bad, good, warning

# The keys, at the top level, and what they are for.
# https://developer.apple.com/documentation/bundleresources/information-property-list/nsadvertisingattributionreportendpoint
# https://developer.apple.com/documentation/bundleresources/information-property-list/attributioncopyendpoint
ENDPOINTS = {
    "NSAdvertisingAttributionReportEndpoint": "SKAdNetwork copies (iOS 15 and later)",
    "AttributionCopyEndpoint": "AdAttributionKit copies (iOS 17.4 and later)",
}
RE_ENGAGEMENT = "EligibleForAdAttributionKitReengagementPostbackCopies"
NESTED_IN = ("AdAttributionKit", "NSAdAttributionKit", "SKAdNetwork")


def look_at_plist(path: Path) -> list[Finding]:
    """What `path` says about copies of postbacks."""
    try:
        with path.open("rb") as file:
            said = plistlib.load(file)
    except OSError as error:
        return [bad(path.name, f"cannot be read: {error.strerror or error}")]
    except (plistlib.InvalidFileException, ExpatError, ValueError) as error:
        return [bad(path.name, f"is no property list: {error}")]
    if not isinstance(said, dict):
        return [bad(path.name, "is no dictionary of keys")]
    return [*_endpoints(said), _re_engagement(said), *_hosts(said)]


def _endpoints(said: Mapping[str, Any]) -> Iterator[Finding]:
    for key, purpose in ENDPOINTS.items():
        if key in said:
            yield _address(key, said[key], purpose)
        elif (place := _nested(said, key)) is not None:
            yield bad(key, f"is inside {place}, where iOS ignores it: move it to the top level")
        else:
            yield bad(key, f"is missing: no {purpose}")


def _nested(said: Mapping[str, Any], key: str) -> str | None:
    inside = [name for name, value in said.items() if isinstance(value, dict) and key in value]
    return inside[0] if inside else None


def _address(key: str, value: object, purpose: str) -> Finding:
    if not isinstance(value, str):
        return bad(key, f"is {type(value).__name__}: write a string, https://example.com")
    if value.rstrip("/") == "https:":
        return bad(
            key,
            "is only 'https:': the build takes // for a comment; write https:/$()/example.com, "
            "or switch preprocessing off",
        )
    parts = urlsplit(value)
    if parts.scheme != "https":
        return bad(key, f"{value!r} must begin with https://")
    if not parts.hostname or parts.username or parts.port:
        return bad(key, f"{value!r} must be https:// and a host, nothing else")
    if parts.path.strip("/") or parts.query or parts.fragment:
        return warning(key, f"{value!r}: Apple drops all but the host; its own paths are used")
    return good(key, f"{purpose} go to https://{_domain(parts.hostname)}")


def _hosts(said: Mapping[str, Any]) -> Iterator[Finding]:
    hosts = {
        key: host
        for key in ENDPOINTS
        if isinstance(said.get(key), str) and (host := urlsplit(said[key]).hostname)
    }
    for key, host in hosts.items():
        if host.count(".") > 1:
            yield warning(
                key,
                f"Apple drops sub-domains: it is the registrable part of {host} that must answer",
            )


def _domain(host: str) -> str:
    return host if host.count(".") <= 1 else f"the registrable part of {host}"


def _re_engagement(said: Mapping[str, Any]) -> Finding:
    value = said.get(RE_ENGAGEMENT)
    if value is True:
        return good(RE_ENGAGEMENT, "re-engagements are copied too (iOS 18 and later)")
    if value is None and (place := _nested(said, RE_ENGAGEMENT)) is not None:
        return bad(RE_ENGAGEMENT, f"is inside {place}: move it to the top level")
    if value is None or value is False:
        return warning(RE_ENGAGEMENT, "is not set to true: re-engagements are not copied")
    return bad(RE_ENGAGEMENT, f"is {type(value).__name__}: write a Boolean, <true/>")
