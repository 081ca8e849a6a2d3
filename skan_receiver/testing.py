"""Postbacks like Apple's, signed with keys of one's own: for tests, load and demonstrations.

    signer = Signer(seed=1)
    body = signer.skadnetwork("4.0", app_id=525463029, conversion_value=63)
    skan.verify(skan.parse(body), signer.keys())        # DEVELOPMENT, as SKAN_TEST_KEYS would

A server trusts the same keys by a file that holds `json.dumps(signer.test_keys())`, named by
SKAN_TEST_KEYS; or, where a test needs `valid`, by one that holds `signer.production_keys()`,
named by SKAN_KEYS.
"""

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from skan_receiver.protocol import (
    APPLE_KEYS,
    Framework,
    Key,
    Keys,
    Trust,
    adattributionkit,
    skadnetwork,
)
from skan_receiver.protocol.curves import CURVES, has_p192

__all__ = ["Signer", "encode"]

# What a postback says unless told otherwise: a winning download in the first window, in which
# crowd anonymity withholds whatever it may.
SKAN_EXAMPLE = {
    "ad-network-id": "example123.skadnetwork",
    "campaign-id": 42,
    "source-identifier": "5239",
    "app-id": 525463029,
    "redownload": False,
    "fidelity-type": 1,
    "did-win": True,
    "postback-sequence-index": 0,
}
AAK_EXAMPLE = {
    "ad-network-identifier": "example123.adattributionkit",
    "source-identifier": "5239",
    "advertised-item-identifier": 525463029,
    "impression-type": "app-impression",
    "conversion-type": "download",
    "did-win": True,
    "postback-sequence-index": 0,
}

KID = "skan-receiver-test/0"

_compact = json.JSONEncoder(separators=(",", ":")).encode

_ECDSA_SHA256 = ec.ECDSA(SHA256(), deterministic_signing=True)


class Signer:
    """Apple's part, played with fresh keys, or those given by curve.

    The same `seed` gives the same ids, the same key and text the same signature (RFC 6979).

    Members are named as Apple does, with underscores: `source_app_id=0`. None leaves one out.
    A member that the layout lacks is added unsigned, as forwarders do.
    """

    def __init__(
        self,
        seed: int | None = None,
        kids: Sequence[str] = (KID,),
        private: Mapping[str, ec.EllipticCurvePrivateKey] | None = None,
    ) -> None:
        self.kids = tuple(kids)
        self._random = Random(seed)  # noqa: S311  # ids are no secrets
        self._private = dict(private or {})

    def skadnetwork(self, version: str = "4.0", **members: object) -> dict[str, Any]:
        """A SKAdNetwork body of `version`."""
        names = skadnetwork.SIGNED_MEMBERS[version].split()
        ours = {"version": version, "transaction-id": self.new_id(), **SKAN_EXAMPLE}
        body = {name: ours[name] for name in names if name in ours}
        return self.sign(_with(body, members))

    def adattributionkit(self, kid: str = "", **members: object) -> dict[str, Any]:
        """An AdAttributionKit body, by default under the first of the signer's kids."""
        said = _with({"postback-identifier": self.new_id(), **AAK_EXAMPLE}, members)
        signed = said.keys() & adattributionkit.SIGNED_MEMBERS.keys()
        payload = {name: value for name, value in said.items() if name in signed}
        around = {name: value for name, value in said.items() if name not in signed}
        jws = self.jws(payload, {"kid": kid or self.kids[0], "alg": "ES256"})
        return {"jws-string": jws, **around}

    def sign(self, members: Mapping[str, Any]) -> dict[str, Any]:
        """A SKAdNetwork body with a good signature for whatever it says, sense or nonsense."""
        version = members.get("version", "1.0")
        names = skadnetwork.SIGNED_MEMBERS.get(version, skadnetwork.SIGNED_MEMBERS["4.0"]).split()
        message = skadnetwork.signed_message(
            {name: members[name] for name in names if name in members}
        )
        curve = "P-192" if version in skadnetwork.P192_VERSIONS else "P-256"
        signature = self.private_key(curve).sign(message, _ECDSA_SHA256)
        return {**members, "attribution-signature": b64encode(signature).decode()}

    def jws(self, payload: Mapping[str, Any] | bytes, header: Mapping[str, Any] | bytes) -> str:
        """A compact JWS with a good ES256 signature, whatever the header promises."""
        message = b".".join(_base64url(encode(part)) for part in (header, payload))
        r, s = decode_dss_signature(self.private_key("P-256").sign(message, _ECDSA_SHA256))
        signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        return b".".join([message, _base64url(signature)]).decode()

    def new_id(self) -> str:
        """The next id: lower case, as SKAdNetwork writes them."""
        return str(UUID(int=self._random.getrandbits(128), version=4))

    def keys(self, *, production: bool = False) -> Keys:
        """Apple's keys and the signer's own, which are worth `development` unless told."""
        trust = Trust.PRODUCTION if production else Trust.TEST
        own = [
            Key.of(framework, name, trust, f"test/{name}", self.spki(curve))
            for framework, name, curve in self._names()
        ]
        return Keys([*own, *APPLE_KEYS])

    def test_keys(self) -> dict[str, dict[str, str]]:
        """What a SKAN_TEST_KEYS file says of the signer's keys."""
        told: dict[str, dict[str, str]] = {framework.value: {} for framework in Framework}
        for framework, name, curve in self._names():
            told[framework][name] = b64encode(self.spki(curve)).decode()
        return told

    def production_keys(self) -> list[dict[str, str]]:
        """What a SKAN_KEYS file says of them, if they are to be as good as Apple's."""
        return [
            {
                "framework": framework.value,
                "curve" if framework is Framework.SKADNETWORK else "kid": name,
                "environment": Trust.PRODUCTION.value,
                "spki": b64encode(self.spki(curve)).decode(),
            }
            for framework, name, curve in self._names()
        ]

    def spki(self, curve: str) -> bytes:
        """The public key on `curve`: X.509 SubjectPublicKeyInfo, DER."""
        public = self.private_key(curve).public_key()
        return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def private_key(self, curve: str) -> ec.EllipticCurvePrivateKey:
        """The key on `curve`, made when first asked for."""
        if curve not in self._private:
            self._private[curve] = ec.generate_private_key(CURVES[curve]())
        return self._private[curve]

    def _names(self) -> list[tuple[Framework, str, str]]:
        """Each key as (framework, its name there, curve)."""
        curves = [curve for curve in CURVES if curve != "P-192" or has_p192()]
        return [(Framework.SKADNETWORK, curve, curve) for curve in curves] + [
            (Framework.ADATTRIBUTIONKIT, kid, "P-256") for kid in self.kids
        ]


def encode(body: Mapping[str, Any] | bytes) -> bytes:
    """The body as the device would send it."""
    return body if isinstance(body, bytes) else _compact(body).encode()


def _with(body: dict[str, Any], members: Mapping[str, object]) -> dict[str, Any]:
    said = body | {name.replace("_", "-"): value for name, value in members.items()}
    return {name: value for name, value in said.items() if value is not None}


def _base64url(content: bytes) -> bytes:
    return urlsafe_b64encode(content).rstrip(b"=")
