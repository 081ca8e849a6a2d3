"""What makes two arrivals the same postback."""

from dataclasses import replace
from itertools import product

import skan_receiver as skan
from skan_receiver.protocol import Framework, Verdict, identities, identity
from skan_receiver.testing import Signer


def test_only_framework_id_window_and_verdict_make_an_identity(signer: Signer) -> None:
    """Values, countries and even other signed members leave the identity as it is."""
    first = skan.parse(signer.skadnetwork("4.0", conversion_value=1))
    other = skan.parse(
        signer.skadnetwork("4.0", transaction_id=first.id.upper(), app_id=7, country_code="US")
    )

    assert identity(first, Verdict.VALID) == identity(other, Verdict.VALID)
    assert len(identity(first, Verdict.VALID)) == 16


def test_each_of_them_makes_another_identity(signer: Signer) -> None:
    """One conversion gives up to three postbacks, and a forgery is none of them."""
    postback = skan.parse(signer.skadnetwork())
    all_of_them = {
        identity(replace(postback, framework=framework, window=window, id=id_), verdict)
        for framework, window, id_, verdict in product(Framework, range(3), ["a", "b"], Verdict)
    }

    assert len(all_of_them) == 2 * 3 * 2 * 4


def test_an_id_can_be_searched_in_every_place_it_could_have(signer: Signer) -> None:
    """Who asks for an id knows neither window nor verdict, nor how Apple wrote its letters."""
    postback = skan.parse(signer.adattributionkit(postback_sequence_index=2))
    places = identities(postback.id.upper())

    assert len(set(places)) == 24
    assert all(identity(postback, verdict) in places for verdict in Verdict)


def test_an_identity_never_changes(signer: Signer) -> None:
    """It is stored for as long as anything is counted: another formula would count twice."""
    postback = skan.parse(signer.skadnetwork("4.0", transaction_id="ABC-1"))

    assert identity(postback, Verdict.VALID).hex() == "9e49af4515605f29e5b403b70f3ea42c"


def test_whatever_is_searched_for_has_identities() -> None:
    """A search box takes any text, an id or not."""
    assert len(identities("\ud800\0é")) == 24
