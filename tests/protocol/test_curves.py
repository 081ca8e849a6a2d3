"""Two libraries verify P-192, and agree on every signature, good or bad."""

from base64 import b64decode

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

import skan_receiver as skan
from skan_receiver.protocol.curves import has_p192, with_cryptography, with_ecdsa
from skan_receiver.testing import Signer

from . import apple

pytestmark = pytest.mark.skipif(not has_p192(), reason="OpenSSL was built without P-192")

APPLE_P192 = b64decode(
    "MEkwEwYHKoZIzj0CAQYIKoZIzj0DAQEDMgAEMyHD625uvsmGq4C43cQ9BnfN2xslVT5V1nOmAMP6qaRRUll3PB1JYmgSm+62sosG"
)

# The order of P-192.
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFF99DEF836146BC9B1B4D22831

PUBLISHED = skan.parse(apple.BODIES["2.0, as corrected in 2020"]).signature
R, S = decode_dss_signature(PUBLISHED.value)


def der(r: bytes, s: bytes) -> bytes:
    body = b"\x02" + bytes([len(r)]) + r + b"\x02" + bytes([len(s)]) + s
    return b"\x30" + bytes([len(body)]) + body


def minimal(number: int) -> bytes:
    return number.to_bytes(number.bit_length() // 8 + 1)


# Each with what both libraries say of it.
SIGNATURES = {
    "Apple's": (PUBLISHED.value, True),
    "the other root, (r, n - s)": (encode_dss_signature(R, ORDER - S), True),
    "empty": (b"", False),
    "one byte": (b"\x30", False),
    "cut short": (PUBLISHED.value[:-1], False),
    "bytes after the end": (PUBLISHED.value + b"\0", False),
    "long form of the length": (b"\x30\x81" + PUBLISHED.value[1:], False),
    "indefinite length": (b"\x30\x80" + PUBLISHED.value[2:] + b"\0\0", False),
    "padded integer": (der(b"\0" + minimal(R), minimal(S)), False),
    "three integers": (b"\x30\x03\x02\x01\x01" * 3, False),
    "zero r": (encode_dss_signature(0, S), False),
    "zero s": (encode_dss_signature(R, 0), False),
    "negative r": (der(b"\xff", minimal(S)), False),
    "r + n": (encode_dss_signature(R + ORDER, S), False),
    "s = n": (encode_dss_signature(R, ORDER), False),
    "huge s": (encode_dss_signature(R, 2**400), False),
    "raw r || s": (R.to_bytes(24) + S.to_bytes(24), False),
    "empty integers": (b"\x30\x04\x02\x00\x02\x00", False),
    "octet string": (b"\x04" + PUBLISHED.value[1:], False),
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_both_libraries_agree_on_every_form_of_a_signature(name: str) -> None:
    """A build without P-192 gives the same verdicts, so counts do not depend on the machine."""
    signature, genuine = SIGNATURES[name]

    assert with_cryptography("P-192", APPLE_P192)(PUBLISHED.message, signature) is genuine
    assert with_ecdsa(APPLE_P192)(PUBLISHED.message, signature) is genuine


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_both_libraries_agree_on_every_p192_version(version: str, signer: Signer) -> None:
    """The same good and bad messages for either."""
    spki = signer.spki("P-192")
    for verifies in (with_cryptography("P-192", spki), with_ecdsa(spki)):
        signature = skan.parse(signer.skadnetwork(version)).signature

        assert verifies(signature.message, signature.value)
        assert not verifies(signature.message + b"0", signature.value)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_both_libraries_agree_on_any_damaged_signature(data: st.DataObject) -> None:
    """Neither raises, neither accepts what the other refuses."""
    place = data.draw(st.integers(0, len(PUBLISHED.value) - 1))
    damaged = bytearray(PUBLISHED.value)
    damaged[place] ^= data.draw(st.integers(1, 255))
    answers = {
        with_cryptography("P-192", APPLE_P192)(PUBLISHED.message, bytes(damaged)),
        with_ecdsa(APPLE_P192)(PUBLISHED.message, bytes(damaged)),
    }

    assert answers == {False}


@pytest.mark.parametrize(
    "spki",
    [b"", b"garbage", APPLE_P192[:-1], APPLE_P192[:-1] + b"\0", APPLE_P192 + b"\0"],
)
def test_neither_library_takes_a_damaged_key(spki: bytes) -> None:
    """A key file with a typing error is refused when it is read, whatever the build."""
    with pytest.raises(ValueError, match="not a"):
        with_cryptography("P-192", spki)
    with pytest.raises(ValueError, match="not a"):
        with_ecdsa(spki)


def test_neither_library_takes_a_key_on_another_curve() -> None:
    """A P-256 key under the name P-192 is a mistake, not a key."""
    spki = (
        ec.generate_private_key(ec.SECP256R1())
        .public_key()
        .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    )
    with pytest.raises(ValueError, match="not a key on P-192"):
        with_cryptography("P-192", spki)
    with pytest.raises(ValueError, match="not on P-192"):
        with_ecdsa(spki)
