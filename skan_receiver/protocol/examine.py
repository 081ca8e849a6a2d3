"""All that can be said of a body, whatever it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from skan_receiver.errors import Malformed, UnknownVersion
from skan_receiver.protocol.keys import APPLE_KEYS, Keys
from skan_receiver.protocol.postback import Framework, Postback, Verdict
from skan_receiver.protocol.read import Body, as_bytes, parse
from skan_receiver.protocol.text import load
from skan_receiver.protocol.verify import judge

MALFORMED = "malformed"


@dataclass(frozen=True, slots=True)
class Examination:
    """A verdict, or why there can be none."""

    verdict: str  # a Verdict's value, or "malformed"
    framework: Framework | None  # None where the body does not say
    version: str | None  # "" for AdAttributionKit; None where the body does not say
    key_id: str
    reason: str  # "" if valid or development
    postback: Postback | None


def examine(body: Body, keys: Keys = APPLE_KEYS) -> Examination:
    """Read `body`, verify it, and tell the result. Never raises.

    A SKAdNetwork version that is newer than this release is unverifiable, not malformed: it may
    well be genuine.
    """
    try:
        postback = parse(body)
    except Malformed as error:
        return _unread(body, error)
    judgement = judge(postback, keys)
    return Examination(
        verdict=judgement.verdict.value,
        framework=postback.framework,
        version=postback.version,
        key_id=judgement.key_id,
        reason=judgement.reason,
        postback=postback,
    )


def _unread(body: Body, error: Malformed) -> Examination:
    verdict = Verdict.UNVERIFIABLE.value if isinstance(error, UnknownVersion) else MALFORMED
    framework, version = _claimed(body)
    return Examination(verdict, framework, version, "", str(error), None)


def _claimed(body: Body) -> tuple[Framework | None, str | None]:
    """The framework and version that an unreadable body names."""
    try:
        members: Mapping[str, Any] = load(as_bytes(body))
    except Malformed:
        return None, None
    if "jws-string" in members:
        return Framework.ADATTRIBUTIONKIT, ""
    if "attribution-signature" not in members:
        return None, None
    version = members.get("version", "1.0")
    return Framework.SKADNETWORK, version if type(version) is str else None
