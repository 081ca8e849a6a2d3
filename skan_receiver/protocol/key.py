"""One public key, the name that postbacks call it by, and what its signature is worth."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from skan_receiver.protocol.curves import Verifier, aak_verifier, skan_verifier
from skan_receiver.protocol.postback import Framework, Signature


class Trust(StrEnum):
    """What a key's signature is worth: only production is ever counted."""

    PRODUCTION = "production"
    DEVELOPMENT = "development"
    TEST = "test"  # a key of our own, from SKAN_TEST_KEYS


@dataclass(frozen=True, slots=True)
class Key:
    """A key, loaded and ready."""

    framework: Framework
    name: str  # "P-256" or "P-192" for SKAdNetwork, the `kid` for AdAttributionKit
    trust: Trust
    id: str  # the evidence kept with a verdict
    verifies: Verifier = field(repr=False, compare=False)

    @classmethod
    def of(cls, framework: Framework, name: str, trust: Trust, key_id: str, spki: bytes) -> Self:
        """The key in `spki` (X.509 SubjectPublicKeyInfo, DER); ValueError if it is unusable."""
        skan = framework is Framework.SKADNETWORK
        verifies = skan_verifier(name, spki) if skan else aak_verifier(spki)
        return cls(framework, name, trust, key_id, verifies)

    def signed(self, signature: Signature) -> bool:
        """Whether `signature` is this key's."""
        return self.verifies(signature.message, signature.value)
