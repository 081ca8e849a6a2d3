"""Apple's postbacks as MMPs write them: put back, they verify."""

import json
from base64 import b64encode
from typing import Any
from urllib.parse import quote

import pytest

import skan_receiver as skan
from skan_receiver.mmp.event import Person
from skan_receiver.mmp.providers import PROVIDERS
from skan_receiver.mmp.providers.apple import COLUMNS, AppleRow
from skan_receiver.mmp.providers.request import take
from skan_receiver.protocol.skadnetwork import SIGNED_MEMBERS
from skan_receiver.testing import Signer, encode

SIGNER = Signer(seed=3)
KEYS = SIGNER.keys(production=True)


def row(provider: str, body: dict[str, Any], **more: object) -> dict[str, Any]:
    """A body of Apple's as that MMP's columns, all of them text, as in a query or a CSV."""
    columns = {names[0]: "" for names in COLUMNS[provider].values()}
    said = {COLUMNS[provider][name][0]: written(value) for name, value in body.items()}
    return {**columns, **said, **more}


def written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def taken(provider: str, members: dict[str, Any]) -> AppleRow:
    query = [(name, str(value)) for name, value in members.items()]
    found = take(PROVIDERS[provider], query, b"")
    assert (found.events, found.unread) == ([], [])
    return found.apples[0]


@pytest.mark.parametrize("provider", COLUMNS)
@pytest.mark.parametrize("version", SIGNED_MEMBERS)
def test_a_row_verifies_as_its_postback_does(provider: str, version: str) -> None:
    """Every version, whatever the tier withheld: the signed text is Apple's again."""
    has_source = "source-app-id" in SIGNED_MEMBERS[version]
    for source_app in (None, 0, 1234567891) if has_source else (None,):
        body = SIGNER.skadnetwork(version, source_app_id=source_app, conversion_value=42)
        back = skan.parse(taken(provider, row(provider, body)).body)
        assert back.signature == skan.parse(encode(body)).signature
        assert skan.verify(back, KEYS) is skan.Verdict.VALID
        assert back.fine_value == 42


def test_words_of_a_row_are_put_right() -> None:
    """ "TRUE", 1 and "LOW" are Apple's true and low; a plus sign became a space in the query."""
    body = SIGNER.skadnetwork("4.0", did_win=True, coarse_conversion_value="low")
    said = row("appsflyer", body, skad_did_win="1", skad_redownload="False")
    said |= {
        "skad_coarse_conversion_value": "LOW",
        "skad_attribution_signature": body["attribution-signature"].replace("+", " "),
    }
    back = skan.parse(taken("appsflyer", said).body)
    assert skan.verify(back, KEYS) is skan.Verdict.VALID
    assert back.coarse_value == "low"


def test_what_the_mmp_adds_is_a_claim_and_no_persons_identifier_is_kept() -> None:
    """Names of campaigns are worth keeping; a device's address stands beside no postback."""
    body = SIGNER.skadnetwork("4.0")
    more = {
        "event_name": "af_skad_install",
        "ad_network_campaign_name": "Spring",
        "media_source": "examplenet_int",
        "min_revenue": "1.5",
        "city": "",
        "ip": "203.0.113.7",
        "idfa": "A-1",
    }
    found = taken("appsflyer", row("appsflyer", body, **more))
    assert found.claims["campaign_name"] == "Spring"
    assert found.claims["event_name"] == "af_skad_install"
    assert not {"ip", "idfa", "city"} & found.claims.keys()
    assert found.verbatim is not None
    assert b"203.0.113.7" not in found.verbatim + json.dumps(dict(found.claims)).encode()
    assert b"skad_transaction_id" in found.verbatim


@pytest.mark.parametrize(
    ("provider", "column"),
    [
        (name, says.name)
        for name in COLUMNS
        for says in PROVIDERS[name].table
        if says.field in Person.__dataclass_fields__ and says.field not in ("ip", "user_agent")
    ],
)
@pytest.mark.parametrize("store_ip", [True, False])
def test_no_name_of_the_mmps_for_a_user_is_kept_beside_a_postback(
    provider: str, column: str, *, store_ip: bool
) -> None:
    """Neither as a claim nor in the bytes that came, whatever else is kept."""
    who = "1700000000000-7654321"
    said = row(provider, SIGNER.skadnetwork("4.0"), campaign="Spring", click_id=who)
    query = [(name, str(value)) for name, value in {**said, column: who}.items()]
    (found,) = take(PROVIDERS[provider], query, b"", store_ip=store_ip).apples
    assert found.verbatim is not None
    kept = found.verbatim + found.body + json.dumps(dict(found.claims)).encode()
    assert who.encode() not in kept
    assert b"Spring" in kept


@pytest.mark.parametrize("form", ["plain", "quoted", "base64", "quoted base64"])
def test_adjusts_payload_is_what_apple_sent(form: str) -> None:
    """To the byte: either framework, also members that no column has."""
    for body in (SIGNER.skadnetwork("4.0", country_code="US"), SIGNER.adattributionkit()):
        plain = encode(body).decode()
        packed = b64encode(plain.encode()).decode()
        text = {
            "plain": plain,
            "quoted": quote(plain),
            "base64": packed,
            "quoted base64": quote(packed),
        }[form]
        found = taken("adjust", {"sk_payload": text, "sk_ts": "1772618000", "partner": "Net"})
        assert found.body == encode(body)
        assert skan.verify(skan.parse(found.body), KEYS) is skan.Verdict.VALID
        assert found.claims["partner"] == "Net"


def test_a_payload_that_is_none_is_kept_with_its_name() -> None:
    """It may be readable one day, and no event is made of it."""
    for text in ("hello", '{"version":', "eyJ2ZXJzaW9uIjo="):
        found = take(PROVIDERS["adjust"], [("sk_payload", text), ("created_at", "1")], b"")
        assert not found.events
        assert not found.apples
        assert str(found.unread[0].fault) == "sk_payload: neither JSON nor JSON in base64"


def test_without_a_signature_it_can_be_shown_and_never_verified() -> None:
    """AppsFlyer's reports have no column for it: unverifiable is what it is, not forged."""
    body = SIGNER.skadnetwork("4.0")
    said = row("appsflyer", body, skad_attribution_signature="")
    judged = skan.examine(taken("appsflyer", said).body, KEYS)
    assert (judged.verdict, judged.reason) == (
        "unverifiable",
        "no signature: it was left out on the way",
    )
    assert judged.postback is not None
    assert judged.postback.id == body["transaction-id"]


def test_an_ordinary_event_is_none_of_apples() -> None:
    """AppsFlyer's in-app events have no such columns, or have them empty."""
    said = {"event_name": "x", "event_time": "2026-01-01", "skad_transaction_id": "null"}
    found = take(PROVIDERS["appsflyer"], list(said.items()), b"")
    assert len(found.events) == 1
    assert found.apples == []
