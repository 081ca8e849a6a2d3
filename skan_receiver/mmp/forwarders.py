"""Postbacks that a network or MMP passes on: Apple's members, and what the forwarder adds.

What it adds are claims. Nobody signed them, so they are kept apart, under one name each
whatever the forwarder calls them; a claim without a name of ours keeps its own.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from skan_receiver.errors import Malformed, NotJson
from skan_receiver.mmp.normal import MEMBERS, canonical, is_of_a_known_version, normal
from skan_receiver.mmp.personal import Sieve, names_address
from skan_receiver.protocol.text import load

Query = Iterable[tuple[str, str]]

# The postback unchanged, with these beside it: what most of them took over from AppsFlyer.
_COMMON = {
    "ad-network-campaign-id": "campaign_id",
    "ad-network-campaign-name": "campaign_name",
    "ad-network-adset-id": "adset_id",
    "ad-network-adset-name": "adset_name",
    "ad-network-ad-id": "ad_id",
    "ad-network-ad-name": "ad_name",
}
_ADJUST = {
    "tracker": "tracker",
    "campaign": "campaign_name",
    "campaign-id": "campaign_id",
    "adgroup": "adset_name",
    "adgroup-id": "adset_id",
    "creative": "ad_name",
    "creative-id": "ad_id",
}

# The table of contents: a forwarder, and what it calls its claims (`_` and `-` are one).
# One that is not listed may use everybody's words.
DIALECTS: Mapping[str, Mapping[str, str]] = {
    "adjust": _ADJUST | {f"adjust-{name}": claim for name, claim in _ADJUST.items()},
    "airbridge": {
        "attributed-channel": "channel",
        "attributed-campaign": "campaign_name",
        "attributed-campaign-id": "campaign_id",
        "attributed-ad-group": "adset_name",
        "attributed-ad-group-id": "adset_id",
        "attributed-ad-creative": "ad_name",
        "attributed-ad-creative-id": "ad_id",
        "postback-timestamp": "timestamp",
    },
    "appmetrica": _COMMON,
    "appsflyer": _COMMON,
    "branch": {
        "partner-campaign-id": "campaign_id",
        "partner-campaign-name": "campaign_name",
    },
    "kochava": _COMMON,
    "unity": {**_COMMON, "ad-network-source-app-id": "source_app_id"},
}
_EVERYBODY = {name: claim for dialect in DIALECTS.values() for name, claim in dialect.items()}

# What a setting may keep, under our name; personal.py says what else is personal.
PERSONAL = {
    "ip": "ip",
    "ip-address": "ip",
    "device-ip": "ip",
    "user-agent": "user_agent",
    "ua": "user_agent",
}

# Every postback has one of these.
_ALWAYS = {"transaction-id", "jws-string"}

_SECONDS, _MILLISECONDS = re.compile("[0-9]{10}"), re.compile("[0-9]{13}")


@dataclass(frozen=True, slots=True)
class Forwarded:
    """A forwarded postback, taken apart.

    `body` is the bytes that came, if they were Apple's alone; else Apple's members as JSON, put
    right where the forwarder spelt them otherwise, and `verbatim` is what came: the body, or
    the query of a GET, without what is personal.
    """

    body: bytes
    verbatim: bytes | None
    claims: Mapping[str, Any]


def read(forwarder: str, query: Query, body: bytes, *, store_ip: bool = False) -> Forwarded:
    """Take apart what `forwarder` sent. Never raises: a body that is not JSON stays as it is.

    Without a body the query is the postback, if there is anything in it. Beside a body it holds
    claims: a device that was redirected brings Apple's body, and the network's words in the query.
    """
    words = DIALECTS.get(forwarder, _EVERYBODY)
    sieve = Sieve(store_ip)
    kept = [(name, value) for name, value in query if sieve.keeps(name, value)]
    if kept and not body:
        return _taken_apart(_paired(kept), words, b"", urlencode(kept).encode())
    beside = _claims(_paired(kept), words)
    try:
        members = _members(body)
    except NotJson:
        return Forwarded(body, None, beside)
    without = sieve.sifted(members)
    apart = _taken_apart(without, words, body, body if without == members else _dump(without))
    return Forwarded(apart.body, apart.verbatim, {**beside, **apart.claims})


def _taken_apart(
    members: Mapping[str, Any], words: Mapping[str, str], body: bytes, verbatim: bytes
) -> Forwarded:
    apple, others = _split(members)
    put_right = normal(apple)
    if not is_of_a_known_version(put_right):
        # Whatever we cannot name may be Apple's in a version to come.
        put_right |= {name: value for name, value in others.items() if not _is_word(name, words)}
    claims = _claims(others, words)
    # As text, since 1 == True.
    if body and body == verbatim and _dump(put_right) == _dump(members):
        return Forwarded(body, None, claims)
    ours = _dump(put_right)
    return Forwarded(ours, None if ours == verbatim else verbatim, claims)


def _split(members: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Apple's members, and the others.

    `campaign_id` is Apple's only where all of Apple's are written so: Adjust has one of its own.
    """
    underscored = any("_" in name and canonical(name) in _ALWAYS for name in members)
    apple, others = {}, {}
    for name, value in members.items():
        apples = canonical(name) if underscored else name
        if apples in MEMBERS:
            apple[apples] = value
        else:
            others[name] = value
    return apple, others


def _paired(query: Query) -> dict[str, Any]:
    """A query as members. A name that is repeated has a list, which no member of Apple's may."""
    members: dict[str, Any] = {}
    for name, value in query:
        if name not in members:
            members[name] = value
        elif type(members[name]) is list:
            members[name].append(value)
        else:
            members[name] = [members[name], value]
    return members


def _members(body: bytes) -> dict[str, Any]:
    """The members of a JSON object; a claim that no device would write is no fault of Apple's."""
    try:
        return load(body)
    except NotJson:
        raise
    except Malformed:
        members: dict[str, Any] = json.loads(body, parse_int=_int)
        return members


def _int(digits: str) -> int | str:
    # More digits would cost quadratic time; as text they are still refused where Apple is read.
    return int(digits) if len(digits) <= 20 else digits


def _is_word(name: str, words: Mapping[str, str]) -> bool:
    plain = canonical(name)
    return plain in words or plain == "timestamp" or names_address(name)


def _claims(members: Mapping[str, Any], words: Mapping[str, str]) -> dict[str, Any]:
    """Claims under our names. A time is ISO 8601: a claim too, and never used for order."""
    claims = {_word(name, words): value for name, value in members.items()}
    if (moment := _moment(claims.get("timestamp"))) is not None:
        claims["timestamp"] = moment
    return claims


def _word(name: str, words: Mapping[str, str]) -> str:
    plain = canonical(name)
    return words.get(plain) or PERSONAL.get(plain) or name


def _moment(value: object) -> str | None:
    """Seconds or milliseconds, told apart by their digits."""
    digits = str(value)
    if _SECONDS.fullmatch(digits):
        moment = datetime.fromtimestamp(int(digits), UTC)
    elif _MILLISECONDS.fullmatch(digits):
        moment = datetime.fromtimestamp(int(digits) / 1000, UTC)
    else:
        return None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _dump(members: object) -> bytes:
    return json.dumps(members, separators=(",", ":")).encode()
