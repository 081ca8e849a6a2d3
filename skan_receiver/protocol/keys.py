"""Whose signature is believed: Apple's keys, and those that an operator adds.

Keys are data: a key that Apple rotates needs an entry in `SKAN_KEYS`, not a release.
The id of the key that judged is kept as evidence:

    apple/P-256, apple/P-192         Apple's SKAdNetwork keys
    apple-cas-identifier/0, …        Apple's AdAttributionKit keys, by Apple's own name
    keys/<name>#<8 hex digits>       from SKAN_KEYS, with the start of the SPKI's SHA-256
    test/<name>                      from SKAN_TEST_KEYS
"""

# ruff: noqa: E501  # keys cannot be broken, and a table reads best in lines

from base64 import b64decode
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Self

from skan_receiver.protocol.key import Key, Trust
from skan_receiver.protocol.keyfiles import read_keys, read_test_keys
from skan_receiver.protocol.postback import Framework

SKAN, AAK = Framework.SKADNETWORK, Framework.ADATTRIBUTIONKIT

# X.509 SubjectPublicKeyInfo, as Apple prints them.
# https://developer.apple.com/documentation/storekit/skadnetwork-1-release-notes
_P192 = "MEkwEwYHKoZIzj0CAQYIKoZIzj0DAQEDMgAEMyHD625uvsmGq4C43cQ9BnfN2xslVT5V1nOmAMP6qaRRUll3PB1JYmgSm+62sosG"
# https://developer.apple.com/documentation/storekit/verifying-an-install-validation-postback
_P256 = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEWdp8GPcGqmhgzEFj9Z2nSpQVddayaPe4FMzqM9wib1+aHaaIzoHoLN9zW4K8y4SPykE3YVK3sVqW6Af0lfx3gg=="
# https://developer.apple.com/documentation/adattributionkit/verifying-a-postback
_DEVELOPMENT_0 = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAELeEDzpJEP+/qRSE5hJVC1p1J0ssUnQGMzBBbvnACBok8OVGGLgxL0myrKiy6lvRtSlLRsWit87i+vftD8AEqeQ=="
_DEVELOPMENT_1 = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE8YzdO7eM97s/IJ25kdW5CZ3A14USE5IJ5Ha/vhWaxI6UBI1ZxCEvjrKxVluVGe6qWwF1BDFq+QHqKfH5u+wxHQ=="

_APPLE = [
    (SKAN, "P-192", Trust.PRODUCTION, "apple/P-192", _P192),
    (SKAN, "P-256", Trust.PRODUCTION, "apple/P-256", _P256),
    (AAK, "apple-cas-identifier/0", Trust.PRODUCTION, "apple-cas-identifier/0", _P256),
    (AAK, "apple-development-identifier/0", Trust.DEVELOPMENT, "apple-development-identifier/0", _DEVELOPMENT_0),
    (AAK, "apple-development-identifier/1", Trust.DEVELOPMENT, "apple-development-identifier/1", _DEVELOPMENT_1),
    # Apple lists its development keys under AdAttributionKit only, and says of both frameworks
    # that development postbacks have another key than production's.
    (SKAN, "P-256", Trust.DEVELOPMENT, "apple-development-identifier/0", _DEVELOPMENT_0),
]  # fmt: skip


class Keys:
    """An immutable table of keys. Several may have one name; each is tried."""

    __slots__ = ("_all", "_named", "trusts_tests")

    def __init__(self, keys: Iterable[Key]) -> None:
        self._all = tuple(keys)
        self._named: dict[tuple[str, str, str], tuple[Key, ...]] = {}
        for key in self._all:
            place = (key.framework, key.name, key.trust)
            self._named[place] = (*self._named.get(place, ()), key)
        self.trusts_tests = any(key.trust is Trust.TEST for key in self._all)

    @classmethod
    def load(cls, keys: Path | None = None, test_keys: Path | None = None) -> Self:
        """Apple's keys, and those of the files SKAN_KEYS and SKAN_TEST_KEYS; ConfigurationError."""
        added = read_keys(keys) if keys else []
        tests = read_test_keys(test_keys) if test_keys else []
        # An added key is newer than this release, so it is the likelier one.
        return cls([*added, *APPLE_KEYS, *tests])

    def named(self, framework: Framework, name: str, trust: Trust) -> tuple[Key, ...]:
        """The keys that a postback of `framework` calls `name`, of one degree of trust."""
        return self._named.get((framework, name, trust), ())

    def __iter__(self) -> Iterator[Key]:
        return iter(self._all)


APPLE_KEYS = Keys(
    Key.of(framework, name, trust, key_id, b64decode(spki))
    for framework, name, trust, key_id, spki in _APPLE
)
