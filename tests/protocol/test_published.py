"""Apple's published examples get the verdicts that are true of them."""

import json
from collections import Counter
from typing import Any

import pytest

import skan_receiver as skan

from . import apple


@pytest.mark.parametrize(("name", "body", "verdict", "key_id"), apple.PUBLISHED, ids=apple.NAMES)
def test_each_published_example_gets_its_verdict(
    name: str, body: dict[str, Any], verdict: str, key_id: str
) -> None:
    """The text of a body, pretty printed or not, says who signed it."""
    for text in (json.dumps(body), json.dumps(body, indent=2, sort_keys=True)):
        found = skan.examine(text)

        assert (found.verdict, found.key_id) == (verdict, key_id), found.reason


def test_seven_of_the_published_examples_are_valid_and_one_is_development() -> None:
    """Nobody else's verifier accepts every genuine signature of Apple's; this one does."""
    verdicts = Counter(skan.examine(body).verdict for body in apple.BODIES.values())

    assert verdicts == {"valid": 7, "development": 1, "invalid": 4, "malformed": 1}


def test_a_published_web_postback_is_read_whole() -> None:
    """Every member of Apple's 4.0 example has its place, and what it lacks is None."""
    postback = skan.parse(apple.BODIES["4.0 from the web, high tier"])

    assert postback.framework is skan.Framework.SKADNETWORK
    assert (postback.version, postback.id) == ("4.0", "6aafb7a5-0170-41b5-bbe4-fe71dedf1e30")
    assert (postback.app_id, postback.ad_network_id) == (525463029, "com.example")
    assert (postback.window, postback.did_win, postback.fidelity_type) == (0, True, 1)
    assert (postback.source_identifier, postback.campaign_id) == ("5239", None)
    assert (postback.source_domain, postback.source_app_id) == ("example.com", None)
    assert (postback.conversion_type, postback.fine_value) == ("download", 63)
    assert (postback.coarse_value, postback.country, postback.flags) == (None, None, ())


def test_a_published_development_postback_is_read_whole() -> None:
    """An app id of 64 bits, an id in capitals and a source app 0 come through as sent."""
    postback = skan.parse(apple.BODIES["a development postback made in Settings"])

    assert postback.framework is skan.Framework.ADATTRIBUTIONKIT
    assert (postback.version, postback.id) == ("", "85546EB7-FD39-44BC-8990-C98A4AC36A49")
    assert (postback.app_id, postback.source_app_id) == (10738027756, 0)
    assert postback.ad_network_id == "development.adattributionkit"
    assert (postback.conversion_type, postback.window) == ("re-engagement", 0)
    assert (postback.marketplace_id, postback.impression_type) == (
        "com.apple.AppStore",
        "app-impression",
    )
    assert (postback.fine_value, postback.country) == (24, "US")
    assert (postback.interaction_type, postback.fidelity_type) == ("click", None)


def test_four_published_examples_share_one_id_and_so_one_identity() -> None:
    """2.0, 2.1, 2.2 and the 3.0 that won are one postback as far as ids can tell."""
    names = ["2.0, as corrected in 2020", "2.1", "2.2", "3.0, won"]
    postbacks = [skan.parse(apple.BODIES[name]) for name in names]

    assert len({skan.identity(postback, skan.Verdict.VALID) for postback in postbacks}) == 1
