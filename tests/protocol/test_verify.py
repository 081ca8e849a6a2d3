"""Who signed it, and what that is worth."""

from pathlib import Path

import pytest

import skan_receiver as skan
from skan_receiver.protocol import APPLE_KEYS, Framework, Key, Keys, Trust
from skan_receiver.testing import Signer

VERSIONS = ["1.0", "2.0", "2.1", "2.2", "3.0", "4.0"]

WITH_SOURCE_APP = VERSIONS[1:]


def with_development_key(signer: Signer) -> Keys:
    """Apple's keys, and the signer's in the place of Apple's development key."""
    key = Key.of(
        Framework.SKADNETWORK, "P-256", Trust.DEVELOPMENT, "development", signer.spki("P-256")
    )
    return Keys([key, *APPLE_KEYS])


def test_a_production_key_makes_it_valid(signer: Signer) -> None:
    """The evidence names the key, and there is nothing to explain."""
    judgement = skan.judge(skan.parse(signer.skadnetwork()), signer.keys(production=True))

    assert judgement == skan.Judgement(skan.Verdict.VALID, "test/P-256", "")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_test_key_only_ever_makes_it_development(version: str, signer: Signer) -> None:
    """Whoever holds a test key can make postbacks, but none that count."""
    body = signer.skadnetwork(version)

    assert skan.examine(body, signer.keys()).verdict == "development"
    assert skan.examine(body).verdict == "invalid"


def test_a_test_key_of_apples_name_makes_it_development_too(signer: Signer) -> None:
    """Naming a test key like Apple's gains nothing."""
    apples_name = Signer(kids=["apple-cas-identifier/0"])
    found = skan.examine(apples_name.adattributionkit(), apples_name.keys())

    assert (found.verdict, found.key_id) == ("development", "test/apple-cas-identifier/0")


@pytest.mark.parametrize(
    "members", [{"source_app_id": 0}, {"source_domain": "example.com"}], ids=["app", "web"]
)
def test_a_development_key_is_tried_on_what_looks_like_a_test(
    members: dict[str, object], signer: Signer
) -> None:
    """Tests come from source app 0 or from the web, and have no place to name their key."""
    keys = with_development_key(signer)
    found = skan.examine(signer.skadnetwork("4.0", **members), keys)

    assert (found.verdict, found.key_id) == ("development", "development")


@pytest.mark.parametrize("members", [{}, {"source_app_id": 1}])
def test_a_development_key_is_not_tried_on_anything_else(
    members: dict[str, object], signer: Signer
) -> None:
    """What does not look like a test is production's to vouch for."""
    found = skan.examine(signer.skadnetwork("4.0", **members), with_development_key(signer))

    assert (found.verdict, found.key_id) == ("invalid", "apple/P-256")


def test_apples_development_key_stands_for_both_frameworks() -> None:
    """Apple lists it under AdAttributionKit, and says that both have one."""
    named = [key.framework for key in APPLE_KEYS if key.id == "apple-development-identifier/0"]

    assert sorted(named) == ["adattributionkit", "skadnetwork"]


def test_no_key_at_all_is_unverifiable(signer: Signer) -> None:
    """Not knowing is another answer than no."""
    judgement = skan.judge(skan.parse(signer.skadnetwork("2.0")), Keys([]))

    assert judgement == skan.Judgement(skan.Verdict.UNVERIFIABLE, "", "no key named P-192")


@pytest.mark.parametrize("version", WITH_SOURCE_APP)
def test_a_zero_fill_stays_invalid_and_is_named(version: str, signer: Signer) -> None:
    """Forwarders write 0 for what Apple left out; they learn which member broke it."""
    body = signer.skadnetwork(version) | {"source-app-id": 0}
    judgement = skan.judge(skan.parse(body), signer.keys(production=True))

    assert judgement.verdict is skan.Verdict.INVALID
    assert judgement.reason == "source-app-id was added after signing"


def test_an_empty_source_domain_is_a_zero_fill_too(signer: Signer) -> None:
    """The text's nothing, where the number's would be 0."""
    body = signer.skadnetwork("4.0", source_app_id=5) | {"source-domain": ""}
    judgement = skan.judge(skan.parse(body), signer.keys(production=True))

    assert judgement.verdict is skan.Verdict.INVALID
    assert judgement.reason == "source-domain was added after signing"


def test_a_zero_that_was_signed_is_no_zero_fill(signer: Signer) -> None:
    """Devices in test mode send 0 and sign it."""
    body = signer.skadnetwork("4.0", source_app_id=0)

    assert skan.examine(body, signer.keys(production=True)).verdict == "valid"


def test_a_zero_filled_forgery_is_only_a_forgery(signer: Signer) -> None:
    """Nothing is explained away that has a second fault."""
    body = signer.skadnetwork("4.0") | {"source-app-id": 0, "app-id": 1}
    judgement = skan.judge(skan.parse(body), signer.keys(production=True))

    assert judgement.reason == "signature does not match"


def test_each_key_of_a_name_is_tried(signer: Signer) -> None:
    """While Apple rotates a key, both sign."""
    other = Signer(seed=2)
    keys = Keys([*signer.keys(production=True), *other.keys(production=True)])

    assert skan.examine(signer.skadnetwork(), keys).verdict == "valid"
    assert skan.examine(other.skadnetwork(), keys).verdict == "valid"
    assert skan.examine(other.adattributionkit(), keys).verdict == "valid"


def test_the_signature_of_another_body_is_invalid(signer: Signer, keys: skan.Keys) -> None:
    """A signature holds for one message only."""
    one, other = signer.skadnetwork(), signer.skadnetwork()
    swapped = one | {"attribution-signature": other["attribution-signature"]}

    assert skan.verify(skan.parse(swapped), keys) is skan.Verdict.INVALID


def test_upper_case_is_another_text_to_a_signature(signer: Signer, keys: skan.Keys) -> None:
    """Case is kept for verifying: what was signed in capitals verifies in capitals."""
    body = signer.skadnetwork("3.0", transaction_id="6AAFB7A5-0170-41B5-BBE4-FE71DEDF1E28")
    lower = body | {"transaction-id": body["transaction-id"].lower()}

    assert skan.verify(skan.parse(body), keys) is skan.Verdict.VALID
    assert skan.verify(skan.parse(lower), keys) is skan.Verdict.INVALID


def test_keys_can_be_asked_whether_they_trust_tests(signer: Signer, tmp_path: Path) -> None:
    """A page can warn that test postbacks are accepted here."""
    assert signer.keys().trusts_tests
    assert not APPLE_KEYS.trusts_tests
    assert not Keys.load().trusts_tests
