"""A test key pair of one's own: made on first use, believed only where SKAN_TEST_KEYS names it."""

import json
from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from skan_receiver.config import write_once
from skan_receiver.errors import ConfigurationError
from skan_receiver.protocol.curves import CURVES, has_p192
from skan_receiver.testing import Signer

PUBLIC = "test-keys.json"

# Keys as text, by curve: what other processes are given.
Pems = Mapping[str, bytes]


def make_keys(folder: Path) -> Pems:
    """The private keys in `folder`, made there on first use with the file for SKAN_TEST_KEYS."""
    folder.mkdir(parents=True, exist_ok=True)
    curves = [curve for curve in CURVES if curve != "P-192" or has_p192()]
    for curve in curves:
        if not (path := folder / f"{curve}.pem").exists():
            write_once(path, _pem(Signer().private_key(curve)))
    pems = {curve: (folder / f"{curve}.pem").read_bytes() for curve in curves}
    public = json.dumps(signer(pems).test_keys(), indent=2) + "\n"
    (folder / PUBLIC).write_text(public)
    return pems


def signer(pems: Pems) -> Signer:
    """Apple's part, with these keys."""
    return Signer(private={curve: _private(curve, pem) for curve, pem in pems.items()})


def _private(curve: str, pem: bytes) -> EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(pem, None)
    except ValueError as error:
        raise ConfigurationError(f"the simulator's {curve}.pem: {error}") from None
    if not isinstance(key, EllipticCurvePrivateKey):
        raise ConfigurationError(f"the simulator's {curve}.pem: is no key on {curve}")
    return key


def _pem(key: EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
