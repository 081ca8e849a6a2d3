"""The signer that other tests and programs trust."""

import skan_receiver as skan
from skan_receiver.testing import Signer, encode


def test_the_same_seed_gives_the_same_ids() -> None:
    """A load test can be repeated on the same ids; only the signatures differ."""
    one, other = Signer(seed=9), Signer(seed=9)

    assert [one.new_id() for _ in range(3)] == [other.new_id() for _ in range(3)]
    assert one.skadnetwork()["transaction-id"] == other.skadnetwork()["transaction-id"]
    assert len({one.new_id() for _ in range(1000)}) == 1000


def test_members_are_set_left_out_and_added(signer: Signer, keys: skan.Keys) -> None:
    """What a test needs to say about a postback, it says by Apple's names."""
    body = signer.skadnetwork("3.0", campaign_id=7, source_app_id=5, partner_note="x")

    assert (body["campaign-id"], body["source-app-id"], body["partner-note"]) == (7, 5, "x")
    assert "did-win" not in signer.skadnetwork("3.0", did_win=None)
    assert skan.examine(encode(body), keys).verdict == "valid"


def test_unsigned_members_of_adattributionkit_stand_beside_the_jws(
    signer: Signer, keys: skan.Keys
) -> None:
    """Apple puts values next to the signed part, never into it."""
    body = signer.adattributionkit(
        conversion_value=3, ad_interaction_type="view", publisher_item_identifier=5
    )
    postback = skan.parse(body)

    assert body.keys() == {"jws-string", "conversion-value", "ad-interaction-type"}
    assert (postback.fine_value, postback.interaction_type) == (3, "view")
    assert postback.source_app_id == 5
    assert skan.verify(postback, keys) is skan.Verdict.VALID


def test_the_same_key_and_text_give_the_same_signature(signer: Signer) -> None:
    """RFC 6979: what was simulated can be compared byte for byte."""
    private = {curve: signer.private_key(curve) for curve in ("P-256", "P-192")}
    one, other = Signer(seed=3, private=private), Signer(seed=3, private=private)

    for version in ("1.0", "4.0"):
        assert one.skadnetwork(version) == other.skadnetwork(version)
    assert one.adattributionkit() == other.adattributionkit()
