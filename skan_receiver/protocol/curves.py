"""ECDSA over SHA-256, three ways: each makes a public key into a function that verifies.

Nothing here signs. `ecdsa` must not be made to: its signing leaks the key through timing
(CVE-2024-23342), which its authors will not fix. Verifying has no secret to leak.
"""

from collections.abc import Callable
from functools import cache
from hashlib import sha256

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
from joserfc.jwk import ECKey
from joserfc.jws import JWSRegistry

# (message, signature) -> whether it is this key's signature of this message.
Verifier = Callable[[bytes, bytes], bool]

CURVES: dict[str, type[ec.EllipticCurve]] = {"P-256": ec.SECP256R1, "P-192": ec.SECP192R1}

# Made once: a new one for each call costs a tenth of a verification.
_ECDSA_SHA256 = ec.ECDSA(SHA256())

_ES256 = JWSRegistry(algorithms=["ES256"]).get_alg("ES256")


def skan_verifier(curve: str, spki: bytes) -> Verifier:
    """For DER signatures by the key in `spki`; ValueError if it is no key on `curve`."""
    if curve not in CURVES:
        raise ValueError(f"the curve must be {' or '.join(CURVES)}")
    if curve == "P-192" and not has_p192():
        return with_ecdsa(spki)
    return with_cryptography(curve, spki)


def aak_verifier(spki: bytes) -> Verifier:
    """For raw r || s signatures under ES256 by the key in `spki`; ValueError if it cannot be."""
    key = ECKey.import_key(_load("P-256", spki))
    return lambda message, signature: _ES256.verify(message, signature, key)


def with_cryptography(curve: str, spki: bytes) -> Verifier:
    """Verify by OpenSSL."""
    key = _load(curve, spki)

    def verifies(message: bytes, signature: bytes) -> bool:
        try:
            key.verify(signature, message, _ECDSA_SHA256)
        except InvalidSignature:
            return False
        return True

    return verifies


def with_ecdsa(spki: bytes) -> Verifier:
    """Verify P-192 in pure Python, where OpenSSL was built without the curve."""
    # Imported here: hardly any build needs it.
    from ecdsa import BadSignatureError, NIST192p, VerifyingKey
    from ecdsa.curves import UnknownCurveError
    from ecdsa.der import UnexpectedDER
    from ecdsa.errors import MalformedPointError
    from ecdsa.util import sigdecode_der

    try:
        key = VerifyingKey.from_der(spki)
    except (UnexpectedDER, MalformedPointError, UnknownCurveError) as error:
        raise ValueError(f"not a public key: {error}") from None
    if key.curve != NIST192p:
        raise ValueError(f"the key is on {key.curve.name}, not on P-192")

    def verifies(message: bytes, signature: bytes) -> bool:
        try:
            key.verify(signature, message, sha256, sigdecode_der, allow_truncate=True)
        except BadSignatureError:
            return False
        return True

    return verifies


@cache
def has_p192() -> bool:
    """Whether this build of OpenSSL still has the curve of SKAdNetwork 1.0 and 2.0."""
    try:
        ec.generate_private_key(ec.SECP192R1())
    except UnsupportedAlgorithm:
        return False
    return True


def _load(curve: str, spki: bytes) -> ec.EllipticCurvePublicKey:
    try:
        key = load_der_public_key(spki)
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("not an X.509 SubjectPublicKeyInfo in DER") from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, CURVES[curve]):
        raise ValueError(f"not a key on {curve}")  # noqa: TRY004  # its content is wrong
    return key
