"""Postbacks that were passed on, in every forwarder's spelling."""

import json
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skan_receiver.mmp.forwarders import DIALECTS, Forwarded, read
from skan_receiver.mmp.normal import MEMBERS
from skan_receiver.mmp.personal import Sieve
from skan_receiver.protocol import Verdict, parse, verify
from skan_receiver.testing import Signer, encode

SIGNER = Signer(seed=7)
APPLE = SIGNER.skadnetwork("4.0", conversion_value=20, source_app_id=1234567891)

# Names that are looked at, and whatever a forwarder may put there instead.
NAMES = st.sampled_from(
    sorted({*MEMBERS, *(name for words in DIALECTS.values() for name in words)})
)
NAMES |= NAMES.map(lambda name: name.replace("-", "_")) | st.sampled_from(["timestamp", "ip"])
NAMES |= st.text(max_size=9)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["4.0"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
QUERIES = st.lists(st.tuples(NAMES, st.text() | st.sampled_from(["4.0", "1700000000"])), max_size=6)
FORWARDERS = st.sampled_from([*DIALECTS, "somebody-new"])

COMMON = {
    "ad-network-campaign-id": "c-77",
    "ad-network-campaign-name": "US_iOS_Broad",
    "ad-network-adset-id": "a-12",
    "ad-network-ad-name": "v1",
    "timestamp": "1700000000",
    "ip": "203.0.113.7",
}
CLAIMED = {
    "campaign_id": "c-77",
    "campaign_name": "US_iOS_Broad",
    "adset_id": "a-12",
    "ad_name": "v1",
    "timestamp": "2023-11-14T22:13:20.000Z",
}

# What each adds to Apple's members, and what that claims.
ADDED: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("appsflyer", COMMON, CLAIMED),
    ("appmetrica", COMMON, CLAIMED),
    ("kochava", COMMON, CLAIMED),
    ("unity", {"ad-network-source-app-id": "77", "ip": "::1"}, {"source_app_id": "77"}),
    (
        "adjust",
        {"adjust-tracker": "abc123", "adjust-campaign": "Broad", "adjust-campaign-id": "c-77"},
        {"tracker": "abc123", "campaign_name": "Broad", "campaign_id": "c-77"},
    ),
    (
        "branch",
        {"partner-campaign-id": "c-77", "ip-address": "203.0.113.7", "user-agent": "App Store"},
        {"campaign_id": "c-77"},
    ),
    (
        "airbridge",
        {"attributed-channel": "moloco", "attributed-campaign": "Broad", "ip": "203.0.113.7"},
        {"channel": "moloco", "campaign_name": "Broad"},
    ),
    ("somebody-new", COMMON, CLAIMED),
]


@pytest.mark.parametrize(("forwarder", "added", "claimed"), ADDED)
def test_apples_members_are_kept_apart_from_claims(
    forwarder: str, added: dict[str, Any], claimed: dict[str, Any]
) -> None:
    """What Apple signed verifies as it did; what the forwarder added has one name each."""
    forwarded = read(forwarder, (), encode({**APPLE, **added}))
    assert json.loads(forwarded.body) == APPLE
    assert verify(parse(forwarded.body), SIGNER.keys()) is Verdict.DEVELOPMENT
    assert forwarded.claims == claimed


def test_every_listed_forwarder_is_shown() -> None:
    """The table above is complete."""
    assert {forwarder for forwarder, _, _ in ADDED} > set(DIALECTS)


def test_what_nobody_touched_stays_as_it_came() -> None:
    """Bytes that are Apple's alone are evidence: not a space of them changes."""
    body = json.dumps(APPLE, indent=4).encode()
    assert read("appsflyer", (), body).body is body
    assert read("appsflyer", (), body).verbatim is None


def test_a_redirected_device_brings_claims_in_the_query() -> None:
    """A network that answered 307 has put its words into the URL; the body is Apple's own."""
    body = encode(APPLE)
    forwarded = read("kochava", [("ad-network-campaign-id", "c-77"), ("ip", "::1")], body)
    assert forwarded.body is body
    assert forwarded.claims == {"campaign_id": "c-77"}


@pytest.mark.parametrize("style", ["as Apple writes", "with underscores"])
def test_a_get_carries_the_postback_in_its_query(style: str) -> None:
    """Adjust's own form: every value is text, and is put right."""
    query = {name: str(value) for name, value in APPLE.items()}
    if style == "with underscores":
        query = {name.replace("-", "_"): value for name, value in query.items()}
    pairs = [*query.items(), ("tracker", "abc123"), ("creative_id", "d-3"), ("ip", "::1")]
    forwarded = read("adjust", pairs, b"")
    assert json.loads(forwarded.body) == APPLE
    assert forwarded.claims == {"tracker": "abc123", "ad_id": "d-3"}
    assert forwarded.verbatim is not None
    assert dict(parse_qsl(forwarded.verbatim.decode())) == {
        **query,
        "tracker": "abc123",
        "creative_id": "d-3",
    }


def test_a_campaign_id_beside_apples_is_a_claim() -> None:
    """Adjust's campaign_id is its own; Apple's campaign-id is signed."""
    apple = SIGNER.skadnetwork("3.0")
    pairs = [*((n, str(v)) for n, v in apple.items()), ("campaign_id", "c-77")]
    forwarded = read("adjust", pairs, b"")
    assert json.loads(forwarded.body)["campaign-id"] == 42
    assert forwarded.claims == {"campaign_id": "c-77"}


def test_a_plus_sign_that_was_not_escaped_is_put_back() -> None:
    """Base64 has no spaces, and a query makes one of each plus sign."""
    body = {**APPLE, "attribution-signature": "MEUC+ab+"}
    query = urlencode(body).replace("%2B", "+")
    assert json.loads(read("adjust", parse_qsl(query), b"").body) == body


@pytest.mark.parametrize(
    ("member", "written", "meant"),
    [
        ("app-id", "525463029", 525463029),
        ("app-id", 5.25463029e8, 525463029),
        ("app-id", "10738027756", 10738027756),
        ("conversion-value", "20", 20),
        ("conversion-value", "0", 0),
        ("redownload", 1, True),
        ("redownload", "True", True),
        ("did-win", "false", False),
        ("did-win", 0, False),
        ("coarse-conversion-value", "LOW", "low"),
        ("source-identifier", 5239, "5239"),
        ("version", 4.0, "4.0"),
        ("version", 4, "4.0"),
    ],
)
def test_values_are_put_right(member: str, written: object, meant: object) -> None:
    """Forwarders fill templates; Apple's types come back."""
    body = json.loads(read("appsflyer", (), encode({**APPLE, member: written})).body)
    assert (type(body[member]), body[member]) == (type(meant), meant)


@pytest.mark.parametrize("nothing", [None, ""])
def test_nothing_is_absent(nothing: object) -> None:
    """A template's empty place is not 0, and not a text of length 0."""
    body = encode({**APPLE, "conversion-value": nothing})
    assert "conversion-value" not in json.loads(read("branch", (), body).body)


@pytest.mark.parametrize("value", ["+42", "042", " 42", "4_2", "\u0664\u0662", "1e2", "x", 4.5])
def test_what_is_no_number_is_left_to_the_parser(value: object) -> None:
    """Only what Apple could have written is put right."""
    body = json.loads(read("branch", (), encode({**APPLE, "app-id": value})).body)
    assert body["app-id"] == value


def test_a_zero_that_was_filled_in_is_kept_for_the_verdict() -> None:
    """It breaks the signature, and the verdict says by which member."""
    apple = SIGNER.skadnetwork("2.2")
    forwarded = read("appsflyer", (), encode({**apple, "source-app-id": "0"}))
    assert json.loads(forwarded.body)["source-app-id"] == 0


def test_what_was_changed_is_kept_as_it_came() -> None:
    """The forwarder's own bytes settle an argument with the forwarder."""
    sent = json.dumps({**APPLE, "redownload": 0, "adjust-tracker": "abc"}, indent=1).encode()
    assert read("adjust", (), sent).verbatim == sent


def test_addresses_and_identifiers_are_not_kept() -> None:
    """The device's address is personal data: neither claims nor verbatim hold it."""
    sent = {**APPLE, "ip": "203.0.113.7", "User-Agent": "x", "idfa": "y", "a": [{"ip": "z"}]}
    forwarded = read("branch", (), encode(sent))
    assert forwarded.claims == {"a": [{}]}
    assert json.loads(forwarded.verbatim or b"") == {**APPLE, "a": [{}]}


def test_a_setting_keeps_addresses_but_never_identifiers() -> None:
    """SKAN_STORE_IP is for those who may; SKAdNetwork exists to do without the rest."""
    sent = {**APPLE, "ip-address": "203.0.113.7", "user-agent": "x", "idfa": "y"}
    forwarded = read("branch", (), encode(sent), store_ip=True)
    assert forwarded.claims == {"ip": "203.0.113.7", "user_agent": "x"}
    assert b"idfa" not in (forwarded.verbatim or b"")


def both_ways(added: dict[str, str], *, store_ip: bool = False) -> list[Forwarded]:
    """Apple's members with `added`, as the body of a POST and as the query of a GET."""
    sent = {**APPLE, **added}
    query = [(name, str(value)) for name, value in sent.items()]
    return [
        read("adjust", (), encode(sent), store_ip=store_ip),
        read("adjust", query, b"", store_ip=store_ip),
    ]


ADDRESSES = [
    "client_ip",
    "ip_addr",
    "user_ip",
    "adjust_ip",
    "adjust-ip-address",
    "ad-network-ip",
    "clientIP",
    "IPAddress",
    "clientIPv4",
    "ipv6",
    "useragent",
    "user_agent",
    "userAgent",
    "adjust-ua",
    "ad-network-user-agent",
]
IDENTIFIERS = [
    "idfa",
    "IDFV",
    "adjust_idfa",
    "idfa_sha1",
    "gaid",
    "google_aaid",
    "device-id",
    "deviceId",
    "adjust-device-id",
    "adid",
    "android_id",
    "advertisingId",
    "appsflyer-customer-user-id",
]


@pytest.mark.parametrize("name", ADDRESSES)
def test_an_address_is_known_by_a_part_of_its_name(name: str) -> None:
    """Hashed or not, with whatever prefix: no claim, and not in what came."""
    for forwarded in both_ways({name: "not-for-us"}):
        assert forwarded.claims == {}
        assert json.loads(forwarded.body) == APPLE
        assert b"not-for-us" not in (forwarded.verbatim or b"")
    for forwarded in both_ways({name: "not-for-us"}, store_ip=True):
        assert list(forwarded.claims.values()) == ["not-for-us"]


@pytest.mark.parametrize("name", IDENTIFIERS)
def test_an_identifier_is_dropped_whatever_the_setting(name: str) -> None:
    """What tells one phone from all others has no business here."""
    for forwarded in both_ways({name: "not-for-us"}, store_ip=True):
        assert forwarded.claims == {}
        assert b"not-for-us" not in (forwarded.verbatim or b"")


@pytest.mark.parametrize(
    "address",
    [
        "203.0.113.9",
        "2001:db8::9",
        " 203.0.113.9",
        "203.0.113.9:443",
        "[2001:db8::9]:443",
        "203.0.113.9, 198.51.100.1",
        "unknown,203.0.113.9",
    ],
)
def test_an_address_is_known_by_its_look(address: str) -> None:
    """Whatever it is called: a forwarder's words are its own."""
    added = {"x-forwarded-for": address, "campaign": address, "list": [address, {"a": address}]}
    forwarded = read("branch", (), encode({**APPLE, **added}))
    assert forwarded.claims == {"list": [{}]}
    assert json.loads(forwarded.verbatim or b"") == {**APPLE, "list": [{}]}
    assert read("branch", [("whence", address)], encode(APPLE)).claims == {}
    assert read("branch", [("whence", address)], encode(APPLE), store_ip=True).claims


def test_claims_that_only_look_personal_are_kept() -> None:
    """A word with ip in it is no address; a version, a time or a name with colons is none."""
    named = {"zip": "z", "trip_id": "t", "skip": "", "quality": "q", "deviceCategory": "phone"}
    valued = {"sdk": "4.0.1", "at": "12:30", "n": 42, "name": "US :: iOS, Broad", "flag": True}
    added = {**named, **valued}
    assert read("branch", (), encode({**APPLE, **added})).claims == added


@pytest.mark.parametrize(
    "name", [*MEMBERS, *(name for words in DIALECTS.values() for name in words)]
)
def test_no_name_we_know_is_personal(name: str) -> None:
    """Apple's members and the claims we look for pass, however they are spelt."""
    for written in (name, name.replace("-", "_"), name.upper()):
        assert Sieve(store_ip=False).keeps(written, "1")


def test_a_page_with_an_address_for_a_name_stays_signed() -> None:
    """Apple signs the site an advertisement was on, which no device is."""
    apple = SIGNER.skadnetwork("4.0", source_domain="192.0.2.1")
    assert json.loads(read("branch", (), encode({**apple, "ip": "::1"})).body) == apple


@pytest.mark.parametrize(
    ("written", "claimed"),
    [
        ("1700000000", "2023-11-14T22:13:20.000Z"),
        (1700000000, "2023-11-14T22:13:20.000Z"),
        ("1700000000123", "2023-11-14T22:13:20.123Z"),
        ("yesterday", "yesterday"),
        ("170000000", "170000000"),
    ],
)
def test_times_are_told_apart_by_their_digits(written: object, claimed: str) -> None:
    """Ten digits are seconds, thirteen milliseconds, everything else is left alone."""
    assert read("appsflyer", (), encode({**APPLE, "timestamp": written})).claims == {
        "timestamp": claimed
    }


def test_members_of_a_version_to_come_are_kept() -> None:
    """What we cannot read yet is read again after an upgrade, so it must be whole."""
    sent = {**APPLE, "version": "5.0", "brand-new": 1, "adjust-tracker": "abc"}
    body = json.loads(read("adjust", (), encode(sent)).body)
    assert body == {**APPLE, "version": "5.0", "brand-new": 1}


@pytest.mark.parametrize("body", [b"\x00", b"[]", b'{"a":1,"a":2}', b'{"a":NaN}', b"\xff"])
def test_what_is_not_json_is_handed_on(body: bytes) -> None:
    """Ingest refuses it, and says why."""
    assert read("branch", (), body).body == body


def test_an_odd_claim_is_no_fault_of_apples() -> None:
    """A campaign with a number beyond 64 bits does not spoil a good postback."""
    sent = encode({**APPLE, "campaign": 10**30, "note": "\u2063"})
    forwarded = read("branch", (), sent)
    assert json.loads(forwarded.body) == APPLE
    assert forwarded.claims["note"] == "\u2063"


def test_a_repeated_name_in_a_query_is_nobodys_guess() -> None:
    """Which of two values Apple sent cannot be known, so neither is taken."""
    query = [*((n, str(v)) for n, v in APPLE.items()), ("conversion-value", "63")]
    body = json.loads(read("adjust", query, b"").body)
    assert body["conversion-value"] == ["20", "63"]


def test_an_adattributionkit_postback_keeps_its_signed_part() -> None:
    """The signed text is not touched; around it, words are put right."""
    apple = SIGNER.adattributionkit(ad_interaction_type="click", conversion_value=3)
    sent = {**apple, "ad-interaction-type": "CLICK", "conversion-value": "3", "ip": "::1"}
    assert json.loads(read("unity", (), encode(sent)).body) == apple


@given(FORWARDERS, QUERIES, st.dictionaries(NAMES, VALUES, max_size=6), st.booleans())
def test_whatever_a_forwarder_writes_is_taken_apart(
    forwarder: str, query: list[tuple[str, str]], members: dict[str, Any], store_ip: bool
) -> None:
    """A value of a type nobody expected is for the quarantine: a 500 would bring it back."""
    for body in (json.dumps(members).encode(), b""):
        forwarded = read(forwarder, query, body, store_ip=store_ip)
        assert json.dumps(forwarded.claims)


@given(FORWARDERS, QUERIES, st.binary(max_size=40))
def test_whatever_bytes_come_are_handed_on(
    forwarder: str, query: list[tuple[str, str]], rest: bytes
) -> None:
    """What is no JSON, ingest refuses; taking it apart must not fail before."""
    assert read(forwarder, query, b"\x00" + rest).body == b"\x00" + rest


def test_nothing_is_no_postback() -> None:
    """An empty body is refused as on every endpoint, unless the query is the postback."""
    assert read("adjust", (), b"").body == b""
    assert read("adjust", [("ip", "203.0.113.9")], b"").body == b""
