"""AdAttributionKit: a strict compact JWS, and a few members around it."""

import json
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

import skan_receiver as skan
from skan_receiver.testing import KID, Signer

from . import apple

HEADER = {"kid": KID, "alg": "ES256"}


def base64url(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def payload_of(body: dict[str, Any]) -> dict[str, Any]:
    segment = body["jws-string"].split(".")[1]
    payload: dict[str, Any] = json.loads(urlsafe_b64decode(segment + "=="))
    return payload


# The header's text, and the member that the refusal names.
HEADERS: list[tuple[bytes, str]] = [
    (b'{"alg":"none","kid":"a"}', "alg"),
    (b'{"alg":"HS256","kid":"a"}', "alg"),
    (b'{"alg":"ES384","kid":"a"}', "alg"),
    (b'{"alg":"es256","kid":"a"}', "alg"),
    (b'{"alg":256,"kid":"a"}', "alg"),
    (b'{"kid":"a"}', "alg"),
    (b'{"alg":"ES256"}', "kid"),
    (b'{"alg":"ES256","kid":0}', "kid"),
    (b'{"alg":"ES256","kid":""}', "kid"),
    (b'{"alg":"ES256","kid":null}', "kid"),
    (b'{"alg":"ES256","kid":"a","kid":"b"}', "kid"),
    (b'{"alg":"none","alg":"ES256","kid":"a"}', "alg"),
    (b'{"alg":"ES256","kid":"a","crit":["exp"]}', "crit"),
    (b'{"alg":"ES256","kid":"a","b64":false}', "b64"),
    (b'{"alg":"ES256","kid":"a","jwk":{}}', "jwk"),
    (b'{"alg":"ES256","kid":"a","x5c":[]}', "x5c"),
    (b"[]", "jws-string"),
    (b"nonsense", "jws-string"),
    (b"", "jws-string"),
]

# How a good JWS is spoiled.
SPOILED: dict[str, Callable[[str], object]] = {
    "null": lambda _: None,
    "number": lambda _: 7,
    "empty": lambda _: "",
    "two parts": lambda jws: jws.rpartition(".")[0],
    "four parts": lambda jws: jws + ".AAAA",
    "empty payload": lambda jws: "..".join(jws.split(".")[::2]),
    "padded signature": lambda jws: jws + "==",
    "white space": lambda jws: jws + "\n",
    "stray bits": lambda jws: jws[:-1] + ("B" if jws[-1] == "A" else chr(ord(jws[-1]) + 1)),
    "standard alphabet": lambda jws: jws.replace("-", "+").replace("_", "/") + "+",
    "not ASCII": lambda jws: jws + "é",
}


@pytest.mark.parametrize("conversion_type", ["download", "redownload", "re-engagement", "new"])
def test_a_conversion_type_is_kept_as_signed(
    conversion_type: str, signer: Signer, keys: skan.Keys
) -> None:
    """A word that Apple adds one day is no reason to lose a postback."""
    postback = skan.parse(signer.adattributionkit(conversion_type=conversion_type))

    assert postback.conversion_type == conversion_type
    assert skan.verify(postback, keys) is skan.Verdict.VALID


def test_both_spellings_of_a_re_engagement_are_one(signer: Signer, keys: skan.Keys) -> None:
    """One page of Apple's leaves the hyphen out; a report needs one word."""
    postback = skan.parse(signer.adattributionkit(conversion_type="reengagement"))

    assert postback.conversion_type == "re-engagement"
    assert skan.verify(postback, keys) is skan.Verdict.VALID


@pytest.mark.parametrize(
    "optional",
    [
        {},
        {"publisher_item_identifier": 0},
        {"marketplace_identifier": "com.apple.AppStore"},
        {"publisher_item_identifier": 10738027756, "marketplace_identifier": "com.example.store"},
    ],
)
def test_it_verifies_with_and_without_each_optional_member(
    optional: dict[str, Any], signer: Signer, keys: skan.Keys
) -> None:
    """What a data tier withholds is simply not in the payload."""
    postback = skan.parse(signer.adattributionkit(**optional))

    assert skan.verify(postback, keys) is skan.Verdict.VALID
    assert postback.source_app_id == optional.get("publisher_item_identifier")
    assert postback.marketplace_id == optional.get("marketplace_identifier")


@pytest.mark.parametrize("window", [0, 1, 2])
def test_every_window_and_the_losers_verify(window: int, signer: Signer, keys: skan.Keys) -> None:
    """Each window's postback stands alone, winner or not."""
    body = signer.adattributionkit(postback_sequence_index=window, did_win=window != 2)
    postback = skan.parse(body)

    assert skan.verify(postback, keys) is skan.Verdict.VALID
    assert (postback.window, postback.did_win) == (window, window != 2)


def test_every_required_member_of_the_payload_is_missed_by_name(signer: Signer) -> None:
    """Each error names the member at fault."""
    whole = payload_of(signer.adattributionkit())
    for name in whole:
        payload = {key: value for key, value in whole.items() if key != name}
        with pytest.raises(skan.Malformed, match="missing") as caught:
            skan.parse({"jws-string": signer.jws(payload, HEADER)})
        assert caught.value.member == name


@pytest.mark.parametrize(
    ("changes", "member"),
    [
        ({"advertised-item-identifier": "1"}, "advertised-item-identifier"),
        ({"advertised-item-identifier": 2**63}, "advertised-item-identifier"),
        ({"source-identifier": 1234}, "source-identifier"),
        ({"did-win": 1}, "did-win"),
        ({"postback-sequence-index": 3}, "postback-sequence-index"),
        ({"postback-identifier": "a\u2063b"}, "postback-identifier"),
        ({"marketplace-identifier": 1}, "marketplace-identifier"),
    ],
)
def test_a_signed_member_of_another_type_is_named(
    changes: dict[str, Any], member: str, signer: Signer
) -> None:
    """A good signature does not make sense of nonsense."""
    payload = payload_of(signer.adattributionkit()) | changes

    with pytest.raises(skan.Malformed) as caught:
        skan.parse({"jws-string": signer.jws(payload, HEADER)})

    assert caught.value.member == member


@pytest.mark.parametrize(("header", "member"), HEADERS)
def test_a_header_that_is_not_apples_is_refused(header: bytes, member: str, signer: Signer) -> None:
    """ES256 and a key's name, each once, and nothing that changes how to read the rest."""
    payload = payload_of(signer.adattributionkit())

    with pytest.raises(skan.Malformed) as caught:
        skan.parse({"jws-string": signer.jws(payload, header)})

    assert type(caught.value) is skan.Malformed  # the body is JSON: it is kept
    assert caught.value.member == member


@pytest.mark.parametrize("payload", [b"[]", b"x", b'{"did-win":true,"did-win":false}', b"\xff"])
def test_a_payload_that_is_not_json_leaves_the_body_malformed(
    payload: bytes, signer: Signer
) -> None:
    """The JSON around it is good, so the body is kept for a release that can read it."""
    with pytest.raises(skan.Malformed, match="payload") as caught:
        skan.parse({"jws-string": signer.jws(payload, HEADER)})

    assert type(caught.value) is skan.Malformed


@pytest.mark.parametrize("how", SPOILED)
def test_a_spoiled_jws_is_malformed(how: str, signer: Signer) -> None:
    """Compact form has one spelling: three parts, the URL-safe alphabet, no padding."""
    body = signer.adattributionkit()

    with pytest.raises(skan.Malformed) as caught:
        skan.parse(body | {"jws-string": SPOILED[how](body["jws-string"])})

    assert caught.value.member == "jws-string"


def test_a_signature_of_another_form_is_invalid(signer: Signer, keys: skan.Keys) -> None:
    """SKAdNetwork's DER is no JWS signature, nor is one cut short, nor an empty one."""
    message, _, value = signer.adattributionkit()["jws-string"].rpartition(".")
    raw = urlsafe_b64decode(value + "==")
    r, s = int.from_bytes(raw[:32]), int.from_bytes(raw[32:])
    for other in (encode_dss_signature(r, s), raw[:-1], raw + b"\0", b"", bytes(64)):
        body = {"jws-string": f"{message}.{base64url(other)}"}

        assert skan.verify(skan.parse(body), keys) is skan.Verdict.INVALID


def test_an_unknown_key_is_unverifiable(signer: Signer, keys: skan.Keys) -> None:
    """A kid of the next rotation may be genuine; only an upgrade or SKAN_KEYS can tell."""
    found = skan.examine(signer.adattributionkit(kid="apple-cas-identifier/1"), keys)

    assert (found.verdict, found.key_id) == ("unverifiable", "")
    assert found.reason == "no key named apple-cas-identifier/1"


def test_a_relabelled_key_is_invalid(keys: skan.Keys) -> None:
    """A development postback that claims the production key was not signed by it."""
    jws = apple.BODIES["a development postback made in Settings"]["jws-string"]
    header = base64url(rb'{"kid":"apple-cas-identifier\/0","alg":"ES256"}')
    body = {"jws-string": ".".join([header, *jws.split(".")[1:]])}

    assert skan.examine(body).verdict == "invalid"


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("conversion-value", 64),
        ("coarse-conversion-value", "High"),
        ("country-code", "840"),
        ("ad-interaction-type", "tap"),
    ],
)
def test_an_unsigned_value_out_of_range_is_absent_and_flagged(
    member: str, value: object, signer: Signer, keys: skan.Keys
) -> None:
    """The signature still stands: the postback is genuine, the value is not to be used."""
    postback = skan.parse(signer.adattributionkit() | {member: value})

    assert skan.verify(postback, keys) is skan.Verdict.VALID
    assert postback.flags == (member,)


def test_values_inside_the_payload_are_not_the_devices(signer: Signer) -> None:
    """Apple reports values beside the JWS; the same names inside it say nothing."""
    payload = payload_of(signer.adattributionkit()) | {"conversion-value": 63}
    postback = skan.parse({"jws-string": signer.jws(payload, HEADER)})

    assert postback.fine_value is None


def test_standard_base64_is_not_base64url(signer: Signer) -> None:
    """The other alphabet is another spelling of the same bytes, and so a second identity."""
    header = b64encode(b'{"alg":"ES256","kid":"\xc3\xbf\xc3\xbf\xc3\xbf~~~"}').decode()
    assert "/" in header or "+" in header

    with pytest.raises(skan.Malformed, match="base64url"):
        skan.parse({"jws-string": f"{header.rstrip('=')}.e30.AAAA"})
