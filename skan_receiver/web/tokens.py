"""SKAN_FORWARDER_TOKENS: who may forward postbacks to us, and the token each must show.

    appsflyer: 5Wz0cS1p…       # ?token=… or Authorization: Bearer …
    branch:                    # may forward without a token

YAML, so JSON too. A name that is not in the file is refused; without a file, anybody may
forward: it is Apple's signature that counts, whoever brings it.
"""

from collections.abc import Mapping
from hmac import compare_digest
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from skan_receiver.errors import ConfigurationError


def load_tokens(path: Path | None) -> Mapping[str, str] | None:
    """The file's table; None where there is no file. ConfigurationError when it is wrong."""
    if path is None:
        return None
    try:
        content = YAML(typ="safe", pure=True).load(path)
    except OSError as error:
        raise _wrong(path, error.strerror or str(error)) from None
    except YAMLError as error:
        raise _wrong(path, f"not YAML: {error}") from None
    if not isinstance(content, dict):
        raise _wrong(path, "must be a mapping of names to tokens, as in 'appsflyer: 5Wz0cS1p'")
    for name, token in content.items():
        if not (isinstance(name, str) and (token is None or isinstance(token, str))):
            raise _wrong(path, f"{name!r}: name and token must be text; quote a token of digits")
    return {name: token or "" for name, token in content.items()}


def admits(tokens: Mapping[str, str] | None, name: str, shown: str) -> bool:
    """Whether the forwarder `name` may come in with the token it has shown."""
    if tokens is None:
        return True
    if (expected := tokens.get(name)) is None:
        return False
    return not expected or compare_digest(expected.encode(), shown.encode())


def _wrong(path: Path, reason: str) -> ConfigurationError:
    return ConfigurationError(f"SKAN_FORWARDER_TOKENS: {path}: {reason}")
