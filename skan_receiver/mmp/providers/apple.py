"""Apple postbacks that MMPs write as rows: `skad_*` (AppsFlyer), `sk_*` (Adjust).

Put back as Apple signed them, they are judged as any other. Adjust's {sk_payload} is what Apple
sent and needs no putting back. Rows without a signature come with an empty one: they can be shown
and never be verified, so they are kept as unverifiable.
https://help.adjust.com/en/article/skad-raw-data-export
"""

import json
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from skan_receiver.errors import Malformed, NotJson
from skan_receiver.mmp.forwarders import read as read_forwarded
from skan_receiver.mmp.normal import MEMBERS
from skan_receiver.mmp.personal import Sieve
from skan_receiver.mmp.providers.members import Members, written
from skan_receiver.mmp.providers.values import said
from skan_receiver.protocol.skadnetwork import SIGNED_MEMBERS
from skan_receiver.protocol.text import load

SIGNATURE = "attribution-signature"
PAYLOAD = "sk_payload"

# Every member of Apple's outside a JWS as a column, by MMP; the first that says something stands.
_SKAN = tuple(name for name in MEMBERS if name != "jws-string")
COLUMNS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "appsflyer": {name: (f"skad_{name.replace('-', '_')}",) for name in _SKAN}
    | {
        "did-win": ("skad_did_win", "did_win"),
        "fidelity-type": ("skad_fidelity_type", "fidelity_type"),
        "source-app-id": ("skad_source_app_id", "source_app_id"),
    },
    "adjust": {name: (f"sk_{name.replace('-', '_')}",) for name in _SKAN}
    | {"ad-network-id": ("sk_network_id",)},
}

# Members that a row has empty or zero in versions that do not know them.
_NEVER_SIGNED_TOGETHER = {"campaign-id", "source-identifier"}


@dataclass(frozen=True, slots=True)
class AppleRow:
    """What `ingest.Incoming` takes: Apple's body, what came, and what the MMP adds to it."""

    body: bytes
    verbatim: bytes | None
    claims: Mapping[str, Any]


def is_apples(provider: str, members: Members) -> bool:
    """Whether these members are a postback of Apple's and no event."""
    columns = COLUMNS.get(provider)
    if columns is None:
        return False
    names = (*columns["transaction-id"], *columns["ad-network-id"])
    return any(_says(members, name) for name in (*names, PAYLOAD))


def apple_row(provider: str, members: Members, *, store_ip: bool = False) -> AppleRow:
    """The postback behind a row; Malformed where a payload is none."""
    columns = COLUMNS[provider]
    taken = {PAYLOAD, *(name for names in columns.values() for name in names)}
    beside = {name: value for name, value in members.items() if name not in taken}
    body = _payload(members)
    if body is None:
        body = written(_put_back(columns, members))
    apart = read_forwarded(provider, _texts(beside), body, store_ip=store_ip)
    claims = {name: value for name, value in apart.claims.items() if _speaks(value)}
    came = written(Sieve(store_ip).sifted(dict(members)))
    # As it was put back: what reads forwarders would leave the empty signature out.
    return AppleRow(body, came, claims)


def _put_back(columns: Mapping[str, tuple[str, ...]], members: Members) -> dict[str, Any]:
    found = {}
    for name, names in columns.items():
        for column in names:
            if (value := _says(members, column)) is not None:
                found[name] = MEMBERS[name](value)
                break
    version = found.get("version")
    for name in _NEVER_SIGNED_TOGETHER:
        if version in SIGNED_MEMBERS and name not in SIGNED_MEMBERS[version].split():
            found.pop(name, None)
    return {**found, SIGNATURE: found.get(SIGNATURE, "")}


def _payload(members: Members) -> bytes | None:
    """Apple's own JSON, which may have been escaped, or be in base64."""
    text = _says(members, PAYLOAD)
    if text is None:
        return None
    for form in (text, unquote(text), _unpacked(text)):
        if form.lstrip().startswith("{") and _is_json(form.encode()):
            return form.encode()
    raise Malformed("neither JSON nor JSON in base64", PAYLOAD)


def _is_json(body: bytes) -> bool:
    try:
        load(body)
    except NotJson:
        return False
    except Malformed:
        return True  # no device's, and for the quarantine of postbacks to name
    return True


def _unpacked(text: str) -> str:
    try:
        return b64decode(unquote(text).replace(" ", "+"), validate=True).decode()
    except (NotBase64, ValueError):
        return ""


def _says(members: Members, name: str) -> str | None:
    try:
        return said(members.get(name))
    except ValueError as fault:
        raise Malformed(str(fault), name) from None


def _speaks(value: object) -> bool:
    try:
        return said(value) is not None
    except ValueError:
        return False


def _texts(members: Members) -> list[tuple[str, str]]:
    """What stands beside a row, as a query: claims of the MMP."""
    return [(name, str(value)) for name, value in members.items() if _speaks(value)]


def claims_of(row: AppleRow) -> str | None:
    """The claims as they are kept."""
    return json.dumps(row.claims, default=str) if row.claims else None
