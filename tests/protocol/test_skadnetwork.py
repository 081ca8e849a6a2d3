"""Every version of SKAdNetwork, with and without what may be missing."""

from itertools import product
from typing import Any

import pytest

import skan_receiver as skan
from skan_receiver.protocol.skadnetwork import OPTIONAL, SIGNED_MEMBERS
from skan_receiver.testing import Signer, encode

VERSIONS = list(SIGNED_MEMBERS)

# (members changed, part of the reason, member at fault); 4.0 unless it says otherwise
REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"app-id": "525463029"}, "expected an integer", "app-id"),
    # The signed text holds no names, so the one would pass for the other.
    ({"source-domain": "1234567891"}, "digits alone", "source-domain"),
    ({"app-id": 525463029.0}, "expected an integer", "app-id"),
    ({"app-id": True}, "expected an integer", "app-id"),
    ({"app-id": -1}, "negative", "app-id"),
    ({"app-id": 2**63}, "64 bits", "app-id"),
    ({"app-id": None}, "missing", "app-id"),
    ({"redownload": 1}, "expected a boolean", "redownload"),
    ({"redownload": "false"}, "expected a boolean", "redownload"),
    ({"did-win": 0}, "expected a boolean", "did-win"),
    ({"did-win": None}, "missing", "did-win"),
    ({"fidelity-type": True}, "expected an integer", "fidelity-type"),
    ({"source-identifier": 5239}, "expected text", "source-identifier"),
    ({"source-app-id": "0"}, "expected an integer", "source-app-id"),
    ({"source-domain": 1}, "expected text", "source-domain"),
    ({"transaction-id": ""}, "empty", "transaction-id"),
    ({"transaction-id": "x" * 256}, "longer", "transaction-id"),
    ({"ad-network-id": "a\u2063b"}, "U+2063", "ad-network-id"),
    ({"postback-sequence-index": 3}, "not 0, 1 or 2", "postback-sequence-index"),
    ({"postback-sequence-index": "0"}, "expected an integer", "postback-sequence-index"),
    ({"version": 4.0}, "expected text", "version"),
    ({"attribution-signature": None}, "missing", "attribution-signature"),
    ({"attribution-signature": 7}, "expected text", "attribution-signature"),
    ({"attribution-signature": "MEUC IQ=="}, "not base64", "attribution-signature"),
    ({"attribution-signature": "MEUCIQ"}, "not base64", "attribution-signature"),
    ({"attribution-signature": "MEUCIR=="}, "not base64", "attribution-signature"),
    ({"attribution-signature": "MEUCIQ==="}, "not base64", "attribution-signature"),
    ({"attribution-signature": "_-__"}, "not base64", "attribution-signature"),
    ({"attribution-signature": "MEUCIé=="}, "not base64", "attribution-signature"),
    ({"attribution-signature": "MEUC\nIQ=="}, "not base64", "attribution-signature"),
    ({"conversion-value": "42"}, "expected an integer", "conversion-value"),
    ({"conversion-value": True}, "expected an integer", "conversion-value"),
    ({"coarse-conversion-value": 1}, "expected text", "coarse-conversion-value"),
    ({"country-code": 1}, "expected text", "country-code"),
]


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_verifies_with_and_without_each_optional_member(
    version: str, signer: Signer, keys: skan.Keys
) -> None:
    """What a data tier withholds leaves the message, and nothing else changes."""
    optional = {"source_app_id": 1234567891, "source_domain": "example.com"}
    signed = [name for name in optional if name.replace("_", "-") in SIGNED_MEMBERS[version]]
    for kept in product([True, False], repeat=len(signed)):
        chosen = {name: optional[name] for name, keep in zip(signed, kept, strict=True) if keep}
        body = signer.skadnetwork(version, **chosen)

        assert skan.verify(skan.parse(body), keys) is skan.Verdict.VALID, chosen


@pytest.mark.parametrize("version", VERSIONS)
def test_no_signed_member_can_be_missing_changed_or_null(
    version: str, signer: Signer, keys: skan.Keys
) -> None:
    """A required one is named when it is missing; any other change breaks the signature."""
    body = signer.skadnetwork(version)
    for name in set(SIGNED_MEMBERS[version].split()) & body.keys() - {"version"} - OPTIONAL:
        for broken in (body | {name: None}, {k: v for k, v in body.items() if k != name}):
            with pytest.raises(skan.Malformed, match="missing") as caught:
                skan.parse(broken)
            assert caught.value.member == name


def test_a_null_for_an_optional_member_is_its_absence(signer: Signer, keys: skan.Keys) -> None:
    """Apple writes no null; a forwarder that does has not changed what was signed."""
    body = signer.skadnetwork("4.0") | {
        "source-app-id": None,
        "source-domain": None,
        "conversion-value": None,
        "country-code": None,
    }
    postback = skan.parse(body)

    assert skan.verify(postback, keys) is skan.Verdict.VALID
    assert (postback.source_app_id, postback.fine_value, postback.flags) == (None, None, ())


def test_version_one_has_no_version_member(signer: Signer, keys: skan.Keys) -> None:
    """Devices sent none; forwarders add "1.0", which is signed by nobody."""
    body = signer.skadnetwork("1.0")
    assert "version" not in body

    for form in (body, body | {"version": "1.0"}, body | {"version": None}):
        postback = skan.parse(form)
        assert (postback.version, postback.signature.key) == ("1.0", "P-192")
        assert skan.verify(postback, keys) is skan.Verdict.VALID
        assert (postback.did_win, postback.window, postback.conversion_type) == (True, 0, None)


@pytest.mark.parametrize("version", ["4.1", "5.0", "1.1", "2", "4.0 ", "", "४.०"])
def test_a_version_of_the_future_is_unknown_not_forged(version: str, signer: Signer) -> None:
    """It may be genuine, so it is kept and judged after an upgrade."""
    body = signer.skadnetwork("4.0") | {"version": version}

    with pytest.raises(skan.UnknownVersion) as caught:
        skan.parse(body)

    assert caught.value.member == "version"
    found = skan.examine(body)
    assert (found.verdict, found.framework) == ("unverifiable", "skadnetwork")
    assert (found.version, found.postback) == (version, None)


@pytest.mark.parametrize(("changes", "reason", "member"), REFUSED)
def test_what_is_refused_is_named(
    changes: dict[str, Any], reason: str, member: str, signer: Signer
) -> None:
    """The partner who sent it can be told which member is wrong, and how."""
    with pytest.raises(skan.Malformed) as caught:
        skan.parse(signer.skadnetwork("4.0") | changes)

    assert type(caught.value) is skan.Malformed
    assert reason in caught.value.reason
    assert caught.value.member == member


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("conversion-value", 64),
        ("conversion-value", -1),
        ("coarse-conversion-value", "LOW"),
        ("coarse-conversion-value", "none"),
        ("coarse-conversion-value", ""),
        ("country-code", "USA"),
        ("country-code", "U1"),
        ("country-code", "ÄÖ"),
    ],
)
def test_an_unsigned_value_out_of_range_is_absent_and_flagged(
    member: str, value: object, signer: Signer, keys: skan.Keys
) -> None:
    """The signature still stands: the postback is genuine, the value is not to be used."""
    postback = skan.parse(signer.skadnetwork("4.0") | {member: value})

    assert skan.verify(postback, keys) is skan.Verdict.VALID
    assert postback.flags == (member,)
    assert (postback.fine_value, postback.coarse_value, postback.country) == (None, None, None)


def test_value_zero_is_a_value(signer: Signer) -> None:
    """0 and absent are as different as any two values."""
    assert skan.parse(signer.skadnetwork("3.0", conversion_value=0)).fine_value == 0
    assert skan.parse(signer.skadnetwork("3.0")).fine_value is None


def test_members_of_another_version_are_not_signed_and_not_believed(
    signer: Signer, keys: skan.Keys
) -> None:
    """A forwarder's did-win on a 2.2 postback says nothing: 2.2 knows no losers."""
    injected = {"did-win": False, "postback-sequence-index": 2, "source-identifier": "12"}
    postback = skan.parse(signer.skadnetwork("2.2") | injected)

    assert skan.verify(postback, keys) is skan.Verdict.VALID
    assert (postback.did_win, postback.window, postback.source_identifier) == (True, 0, None)


def test_ids_above_32_bits_and_capital_letters_are_kept(signer: Signer, keys: skan.Keys) -> None:
    """App ids passed 32 bits years ago, and some networks sign their id in capitals."""
    body = signer.skadnetwork(
        "2.1", app_id=2**63 - 1, ad_network_id="KBD757YWX3.skadnetwork", source_app_id=6747420629
    )
    postback = skan.parse(encode(body))

    assert skan.verify(postback, keys) is skan.Verdict.VALID
    assert (postback.app_id, postback.source_app_id) == (2**63 - 1, 6747420629)
    assert postback.ad_network_id == "KBD757YWX3.skadnetwork"


@pytest.mark.parametrize(
    ("redownload", "conversion_type"), [(True, "redownload"), (False, "download")]
)
def test_redownload_is_told_in_the_words_of_both_frameworks(
    redownload: bool, conversion_type: str, signer: Signer
) -> None:
    """One word serves both frameworks, so a report needs one column."""
    postback = skan.parse(signer.skadnetwork("2.0", redownload=redownload))

    assert postback.conversion_type == conversion_type


def test_the_body_is_kept_as_received(signer: Signer) -> None:
    """Bytes are the evidence; a mapping is kept as the JSON it would have been."""
    text = b" " + encode(signer.skadnetwork("4.0")) + b"\n"

    assert skan.parse(text).body == text
    assert skan.parse(text.decode()).body == text
    assert skan.parse({**signer.skadnetwork("4.0")}).body.startswith(b'{"version":"4.0",')
