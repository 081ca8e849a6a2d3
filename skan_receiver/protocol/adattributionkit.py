"""AdAttributionKit: a compact JWS, with a few unsigned members around it."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from skan_receiver.errors import Malformed, NotJson
from skan_receiver.protocol.postback import Framework, Postback, Signature
from skan_receiver.protocol.text import clip, load, read
from skan_receiver.protocol.unsigned import UNSIGNED_MEMBERS, reported

# The JWS payload: everything in it is signed, and these are what Apple documents.
# https://developer.apple.com/documentation/adattributionkit/identifying-the-parameters-in-a-postback
SIGNED_MEMBERS = {
    "postback-identifier": str,
    "ad-network-identifier": str,
    "advertised-item-identifier": int,
    "source-identifier": str,
    "impression-type": str,
    "conversion-type": str,
    "did-win": bool,
    "postback-sequence-index": int,
    "publisher-item-identifier": int,
    "marketplace-identifier": str,
}

# Present from a data tier on.
OPTIONAL = {"publisher-item-identifier", "marketplace-identifier"}

UNSIGNED = tuple(UNSIGNED_MEMBERS)

# Apple writes two of them. `typ` says nothing that changes the reading; everything else either
# does (crit, b64) or brings a key along (jwk, jku, x5c), and Apple's keys are pinned.
HEADER_MEMBERS = {"alg", "kid", "typ"}

# One page of Apple's spells it so; the signed postbacks have the hyphen.
_SPELLINGS = {"reengagement": "re-engagement"}

_LAYOUT = [(name, kind, name in OPTIONAL) for name, kind in SIGNED_MEMBERS.items()]


def postback(members: Mapping[str, Any], body: bytes) -> Postback:
    """The postback that `members` of `body` say; Malformed."""
    signature, payload = _open(members)
    signed = {name: read(payload, name, kind, optional=o) for name, kind, o in _LAYOUT}
    if signed["postback-sequence-index"] > 2:
        raise Malformed("not 0, 1 or 2", "postback-sequence-index")
    return Postback(
        framework=Framework.ADATTRIBUTIONKIT,
        version="",
        id=signed["postback-identifier"],
        app_id=signed["advertised-item-identifier"],
        ad_network_id=signed["ad-network-identifier"],
        window=signed["postback-sequence-index"],
        campaign_id=None,
        source_identifier=signed["source-identifier"],
        conversion_type=_SPELLINGS.get(signed["conversion-type"], signed["conversion-type"]),
        did_win=signed["did-win"],
        fidelity_type=None,
        source_app_id=signed["publisher-item-identifier"],
        source_domain=None,
        marketplace_id=signed["marketplace-identifier"],
        impression_type=signed["impression-type"],
        signature=signature,
        body=body,
        **reported(members, UNSIGNED),
    )


def _open(members: Mapping[str, Any]) -> tuple[Signature, dict[str, Any]]:
    """The JWS taken apart: what is signed, as received, and the payload that it says."""
    jws = members["jws-string"]
    if type(jws) is not str:
        raise Malformed("not text", "jws-string")
    try:
        header, payload, value = jws.split(".")
    except ValueError:
        raise Malformed("not three parts joined by dots", "jws-string") from None
    signature = Signature(
        key=_kid(header),
        message=f"{header}.{payload}".encode(),
        value=_base64url(value, "signature"),
    )
    return signature, _json(payload, "payload")


# Apple's header is the same text for every postback under one key.
@lru_cache(maxsize=64)
def _kid(header: str) -> str:
    """The key's name, from a header that promises ES256 and nothing we do not know."""
    members = _json(header, "header")
    if (algorithm := read(members, "alg", str)) != "ES256":
        raise Malformed(f"expected ES256, got {clip(algorithm)}", "alg")
    if unknown := members.keys() - HEADER_MEMBERS:
        raise Malformed("not a header member of Apple's", clip(min(unknown)))
    kid: str = read(members, "kid", str)
    return kid


def _json(segment: str, part: str) -> dict[str, Any]:
    content = _base64url(segment, part)
    try:
        return load(content)
    except NotJson as error:
        # The body around it is JSON, so it is kept: a later release may read it.
        raise Malformed(f"{part}: {error.reason}", error.member or "jws-string") from None


def _base64url(segment: str, part: str) -> bytes:
    """RFC 7515: the URL-safe alphabet, no padding, no stray bits at the end."""
    try:
        value = urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
        if urlsafe_b64encode(value).rstrip(b"=") == segment.encode():
            return value
    except ValueError:
        pass
    raise Malformed(f"{part}: not base64url", "jws-string")
