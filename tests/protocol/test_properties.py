"""What holds for any input, not only for those that came to mind."""

import json
from contextlib import suppress
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import skan_receiver as skan
from skan_receiver.protocol.skadnetwork import SIGNED_MEMBERS
from skan_receiver.protocol.unsigned import UNSIGNED_MEMBERS
from skan_receiver.testing import Signer, encode

SIGNER = Signer(seed=3)
KEYS = SIGNER.keys(production=True)
VERDICTS = {"valid", "development", "invalid", "unverifiable", "malformed"}

VERSIONS = st.sampled_from(sorted(SIGNED_MEMBERS))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(
    sorted(
        {"attribution-signature", "jws-string", *UNSIGNED_MEMBERS}
        | set(" ".join(SIGNED_MEMBERS.values()).split())
    )
)

quickly = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


# Signed once: a signature is random, and what is drawn must not be.
SIGNED = {
    version: SIGNER.skadnetwork(version, **({"source_app_id": 7} if version != "1.0" else {}))
    for version in SIGNED_MEMBERS
}
SIGNED_AAK = SIGNER.adattributionkit()


@quickly
@given(st.binary())
def test_no_bytes_raise_anything_but_malformed(body: bytes) -> None:
    """A stranger's bytes are read, or refused by name."""
    with suppress(skan.Malformed):
        skan.parse(body)
    assert skan.examine(body).verdict in VERDICTS


@quickly
@given(st.dictionaries(NAMES | st.text(), JSON))
def test_no_json_raises_anything_but_malformed(members: dict[str, Any]) -> None:
    """Any value in any member, known or not."""
    text = json.dumps(members)
    for body in (text, members):
        with suppress(skan.Malformed):
            skan.parse(body)
        assert skan.examine(body, KEYS).verdict in VERDICTS


@quickly
@given(VERSIONS, NAMES, JSON)
def test_no_single_member_raises_anything_but_malformed(
    version: str, name: str, value: object
) -> None:
    """A good body with one member replaced gets a verdict all the same."""
    assert skan.examine(SIGNED[version] | {name: value}, KEYS).verdict in VERDICTS


@quickly
@given(VERSIONS, st.data())
def test_no_change_of_a_signed_member_is_ever_valid(version: str, data: st.DataObject) -> None:
    """One byte of one signed value, of the same type or another."""
    body = SIGNED[version]
    name = data.draw(st.sampled_from([n for n in SIGNED_MEMBERS[version].split() if n in body]))
    value = body[name]
    other = data.draw(st.integers(0, 2**63 - 1) | st.text() | st.booleans() | st.none())
    if type(other) is type(value) and other == value:
        return

    assert skan.examine(body | {name: other}, KEYS).verdict != "valid"


@quickly
@given(st.sampled_from([SIGNED["4.0"], SIGNED["2.0"], SIGNED_AAK]), st.data())
def test_no_flipped_byte_of_a_signed_body_changes_what_it_says(
    body: dict[str, Any], data: st.DataObject
) -> None:
    """What is still valid after damage says the same in every signed member."""
    damaged = bytearray(encode(body))
    place = data.draw(st.integers(0, len(damaged) - 1))
    damaged[place] ^= data.draw(st.integers(1, 255))
    found = skan.examine(bytes(damaged), KEYS)

    if found.verdict == "valid":
        assert found.postback is not None
        assert found.postback.signature == skan.parse(body).signature


@quickly
@given(VERSIONS, st.dictionaries(st.sampled_from(sorted(UNSIGNED_MEMBERS)), JSON))
def test_no_unsigned_member_ever_changes_a_verdict(version: str, unsigned: dict[str, Any]) -> None:
    """The values are the device's word: they can be wrong, and the postback still genuine."""
    before = skan.parse(SIGNED[version])
    found = skan.examine(json.loads(before.body) | unsigned, KEYS)

    if found.postback is None:  # another type is no value at all
        assert found.verdict == "malformed"
        return
    assert found.verdict == "valid"
    assert found.postback.signature == before.signature


@quickly
@given(VERSIONS, st.dictionaries(st.text(st.characters(codec="ascii")), st.integers(0, 9)))
def test_members_that_forwarders_add_are_ignored(version: str, added: dict[str, int]) -> None:
    """A timestamp, an address or a campaign's name beside the members changes nothing."""
    body = {f"partner-{name}": value for name, value in added.items() if "\0" not in name}

    assert skan.examine(body | SIGNED[version], KEYS).verdict == "valid"


@quickly
@given(st.permutations(sorted(SIGNED["4.0"])))
def test_the_order_of_members_says_nothing(order: list[str]) -> None:
    """JSON objects have none, and every serialiser has its own."""
    body = SIGNED["4.0"]

    assert skan.examine({name: body[name] for name in order}, KEYS).verdict == "valid"
