"""SKAdNetwork: one flat JSON object, signed over some of its members joined by U+2063."""

# ruff: noqa: E501  # the table of signed members reads best in lines

from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping
from typing import Any

from skan_receiver.errors import Malformed, UnknownVersion
from skan_receiver.protocol.postback import Framework, Postback, Signature
from skan_receiver.protocol.text import SEPARATOR, clip, read
from skan_receiver.protocol.unsigned import reported

# What Apple signs, in the order Apple signs it.  A member absent from the postback is absent
# from the message, with its separator.  The conversion value is never signed.
# https://developer.apple.com/documentation/storekit/verifying-an-install-validation-postback
# https://developer.apple.com/documentation/storekit/combining-parameters-for-skadnetwork-3-postbacks
# https://developer.apple.com/documentation/storekit/combining-parameters-for-previous-skadnetwork-postback-versions
# 1.0 has no version member; forwarders add "1.0", which the signature then does not cover.
SIGNED_MEMBERS = {
    "1.0": "ad-network-id campaign-id app-id transaction-id",
    "2.0": "version ad-network-id campaign-id app-id transaction-id redownload source-app-id",
    "2.1": "version ad-network-id campaign-id app-id transaction-id redownload source-app-id",
    "2.2": "version ad-network-id campaign-id app-id transaction-id redownload source-app-id fidelity-type",
    "3.0": "version ad-network-id campaign-id app-id transaction-id redownload source-app-id fidelity-type did-win",
    "4.0": "version ad-network-id source-identifier app-id transaction-id redownload source-app-id source-domain fidelity-type did-win postback-sequence-index",
}  # fmt: skip

# Later versions are signed with the P-256 key.
# https://developer.apple.com/documentation/storekit/skadnetwork-2-1-release-notes
P192_VERSIONS = {"1.0", "2.0"}

TYPES = {
    "version": str,
    "ad-network-id": str,
    "campaign-id": int,
    "source-identifier": str,
    "app-id": int,
    "transaction-id": str,
    "redownload": bool,
    "source-app-id": int,
    "source-domain": str,
    "fidelity-type": int,
    "did-win": bool,
    "postback-sequence-index": int,
}

# At most one of them; neither where crowd anonymity or a lost auction withholds it.
OPTIONAL = {"source-app-id", "source-domain"}

UNSIGNED = ("conversion-value", "coarse-conversion-value", "country-code")

# Each version's signed members as (name, type, optional), ready to read.
_LAYOUTS = {
    version: [(name, TYPES[name], name in OPTIONAL) for name in names.split()]
    for version, names in SIGNED_MEMBERS.items()
}

_CONVERSION_TYPES = {True: "redownload", False: "download", None: None}


def postback(members: Mapping[str, Any], body: bytes) -> Postback:
    """The postback that `members` of `body` say; Malformed, or UnknownVersion."""
    version = version_of(members)
    signed = signed_members(members, version)
    # The two share a place in the signed text, which holds no names: the one must not pass
    # for the other.
    if signed.get("source-domain", "").isdecimal():
        raise Malformed("digits alone, which is what a source-app-id is", "source-domain")
    window = signed.get("postback-sequence-index", 0)
    if window > 2:
        raise Malformed("not 0, 1 or 2", "postback-sequence-index")
    return Postback(
        framework=Framework.SKADNETWORK,
        version=version,
        id=signed["transaction-id"],
        app_id=signed["app-id"],
        ad_network_id=signed["ad-network-id"],
        window=window,
        campaign_id=signed.get("campaign-id"),
        source_identifier=signed.get("source-identifier"),
        conversion_type=_CONVERSION_TYPES[signed.get("redownload")],
        did_win=signed.get("did-win", True),
        fidelity_type=signed.get("fidelity-type"),
        source_app_id=signed.get("source-app-id"),
        source_domain=signed.get("source-domain"),
        marketplace_id=None,
        impression_type=None,
        signature=Signature(
            key="P-192" if version in P192_VERSIONS else "P-256",
            message=signed_message(signed),
            value=der(members),
        ),
        body=body,
        **reported(members, UNSIGNED),
    )


def version_of(members: Mapping[str, Any]) -> str:
    """The version of the layout; the first one had no member to say so."""
    version: str | None = read(members, "version", str, optional=True)
    if version is None:
        return "1.0"
    if version not in SIGNED_MEMBERS:
        raise UnknownVersion(f"no rule is known for version {clip(version)}", "version")
    return version


def signed_members(members: Mapping[str, Any], version: str) -> dict[str, Any]:
    """The members that the signature of `version` covers, in Apple's order."""
    found = {}
    for name, kind, optional in _LAYOUTS[version]:
        if (value := read(members, name, kind, optional=optional)) is not None:
            found[name] = value
    return found


def signed_message(signed: Mapping[str, Any]) -> bytes:
    """The text that Apple signs, in UTF-8."""
    return SEPARATOR.join(map(_as_text, signed.values())).encode()


def _as_text(value: object) -> str:
    if type(value) is bool:
        return "true" if value else "false"
    return str(value)


def der(members: Mapping[str, Any]) -> bytes:
    """The signature's bytes: standard base64, padded, as Apple's encoder would write it.

    None at all where it is empty, which says that it is known to be absent: an MMP's row.
    """
    if members.get("attribution-signature") == "":
        return b""
    text = read(members, "attribution-signature", str)
    try:
        value = a2b_base64(text)
        if b2a_base64(value, newline=False) == text.encode():
            return value
    except ValueError:
        pass
    raise Malformed("not base64", "attribution-signature")
