"""The files that add keys to Apple's. What is wrong in one is said with its remedy.

`SKAN_KEYS`: keys of Apple's that are newer than this release.

    [{"framework": "adattributionkit", "kid": "apple-cas-identifier/1",
      "environment": "production", "spki": "<base64>"},
     {"framework": "skadnetwork", "curve": "P-256", "environment": "production", "spki": "…"}]

`SKAN_TEST_KEYS`: keys of one's own, whose postbacks are `development` for ever.

    {"skadnetwork": {"P-256": "<base64>"}, "adattributionkit": {"<kid>": "<base64>"}}
"""

import json
from base64 import b64decode
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from skan_receiver.errors import ConfigurationError
from skan_receiver.protocol.key import Key, Trust
from skan_receiver.protocol.postback import Framework

NAMED_BY = {Framework.SKADNETWORK: "curve", Framework.ADATTRIBUTIONKIT: "kid"}
ENVIRONMENTS = (Trust.PRODUCTION, Trust.DEVELOPMENT)


def read_keys(path: Path) -> list[Key]:
    """The keys of a SKAN_KEYS file; ConfigurationError names the file and the entry."""
    entries = _contents(path)
    if type(entries) is not list:
        raise ConfigurationError(f"SKAN_KEYS {path}: must be a list of keys in JSON")
    return [
        _checked(f"SKAN_KEYS {path}: entry {number}", _apple_key, entry)
        for number, entry in enumerate(entries)
    ]


def read_test_keys(path: Path) -> list[Key]:
    """The keys of a SKAN_TEST_KEYS file; ConfigurationError names the file and the entry."""
    frameworks = _contents(path)
    if type(frameworks) is not dict or not all(type(k) is dict for k in frameworks.values()):
        raise ConfigurationError(
            f"SKAN_TEST_KEYS {path}: must be a JSON object of objects, as in "
            '{"skadnetwork": {"P-256": "<base64>"}}'
        )
    return [
        _checked(f"SKAN_TEST_KEYS {path}: {framework} {name}", _test_key, framework, name, spki)
        for framework, keys in frameworks.items()
        for name, spki in keys.items()
    ]


def _contents(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        reason = error.strerror or str(error)
    except (ValueError, RecursionError) as error:
        reason = f"not JSON: {error}"
    raise ConfigurationError(f"{path}: {reason}; give a file of keys, or unset the setting")


def _checked(place: str, make: Callable[..., Key], *values: Any) -> Key:
    try:
        return make(*values)
    except ValueError as error:
        raise ConfigurationError(f"{place}: {error}") from None


def _apple_key(entry: Any) -> Key:
    if type(entry) is not dict:
        raise ValueError("must be an object with framework, curve or kid, environment and spki")
    framework = Framework(_one_of(entry, "framework", tuple(Framework)))
    trust = Trust(_one_of(entry, "environment", ENVIRONMENTS))
    name, spki = _text(entry, NAMED_BY[framework]), _spki(entry.get("spki"))
    # The content, not the place in the file: lines move, evidence does not.
    key_id = f"keys/{name}#{sha256(spki).hexdigest()[:8]}"
    return Key.of(framework, name, trust, key_id, spki)


def _test_key(framework: str, name: str, spki: Any) -> Key:
    if not name:
        raise ValueError("a key needs a name")
    known = _one_of({"framework": framework}, "framework", tuple(Framework))
    return Key.of(Framework(known), name, Trust.TEST, f"test/{name}", _spki(spki))


def _one_of(entry: dict[str, Any], member: str, allowed: tuple[str, ...]) -> str:
    value = _text(entry, member)
    if value not in allowed:
        raise ValueError(f"{member} must be {' or '.join(allowed)}, not {value!r}")
    return value


def _text(entry: dict[str, Any], member: str) -> str:
    value = entry.get(member)
    if type(value) is not str or not value:
        raise ValueError(f"{member} is missing, or not text")
    return value


def _spki(value: Any) -> bytes:
    try:
        return b64decode(value, validate=True)
    except (TypeError, ValueError):
        raise ValueError(
            "spki must be the public key as base64 of DER, without PEM's first and last line"
        ) from None
