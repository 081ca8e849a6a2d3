"""Who signed a postback."""

from dataclasses import dataclass

from skan_receiver.protocol import skadnetwork
from skan_receiver.protocol.key import Key, Trust
from skan_receiver.protocol.keys import APPLE_KEYS, Keys
from skan_receiver.protocol.postback import Framework, Postback, Signature, Verdict
from skan_receiver.protocol.text import clip, load

# What forwarders write into a member that Apple left out.
ZERO_FILLS = {"source-app-id": 0, "source-domain": ""}


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict and its evidence."""

    verdict: Verdict
    key_id: str  # the key that made the signature, or should have; "" where none is known
    reason: str  # why not; "" if valid or development


def verify(postback: Postback, keys: Keys = APPLE_KEYS) -> Verdict:
    """Say whether Apple signed `postback`.

    A bad signature is an answer, not an exception: the postback is stored with its verdict,
    and reports count only what is `VALID`. No signature covers the values, the country and
    the interaction type.
    """
    return judge(postback, keys).verdict


def judge(postback: Postback, keys: Keys = APPLE_KEYS) -> Judgement:
    """Say who signed `postback`, and what that is worth.

    1. A production key of the name that the postback gives: valid.
    2. A development key. AdAttributionKit postbacks name it; a SKAdNetwork body has no place
       to, so it is tried where the body looks like a test's.
    3. A test key of one's own.
    4. No key of that name at all: unverifiable, since it may be newer than we are. So is what
       has no signature: an MMP's row of a postback.
    5. Else invalid, with the member that a forwarder added, if that is all that is wrong.
    """
    if postback.framework is Framework.SKADNETWORK and not postback.signature.value:
        return Judgement(Verdict.UNVERIFIABLE, "", "no signature: it was left out on the way")

    # 1.
    production = _keys(postback, keys, Trust.PRODUCTION)
    if key := _signer(production, postback.signature):
        return Judgement(Verdict.VALID, key.id, "")

    # 2. and 3.
    development = _keys(postback, keys, Trust.DEVELOPMENT) if _may_be_test(postback) else ()
    test = _keys(postback, keys, Trust.TEST)
    if key := _signer(development + test, postback.signature):
        return Judgement(Verdict.DEVELOPMENT, key.id, "")

    # 4.
    tried = production + development + test
    if not tried:
        reason = f"no key named {clip(postback.signature.key)}"
        return Judgement(Verdict.UNVERIFIABLE, "", reason)

    # 5.
    if member := _added_member(postback, tried):
        reason = f"{member} was added after signing"
        return Judgement(Verdict.INVALID, tried[0].id, reason)
    return Judgement(Verdict.INVALID, tried[0].id, "signature does not match")


def _keys(postback: Postback, keys: Keys, trust: Trust) -> tuple[Key, ...]:
    return keys.named(postback.framework, postback.signature.key, trust)


def _signer(keys: tuple[Key, ...], signature: Signature) -> Key | None:
    return next((key for key in keys if key.signed(signature)), None)


def _may_be_test(postback: Postback) -> bool:
    """Tests come from source app 0, or from a click on a web ad; AdAttributionKit's say so.

    https://developer.apple.com/documentation/adattributionkit/testing-adattributionkit-with-developer-mode
    """
    return (
        postback.framework is Framework.ADATTRIBUTIONKIT
        or postback.source_app_id == 0
        or postback.source_domain is not None
    )


def _added_member(postback: Postback, keys: tuple[Key, ...]) -> str | None:
    """The zero-fill without which the signature would be good."""
    if postback.framework is not Framework.SKADNETWORK:
        return None
    signed = skadnetwork.signed_members(load(postback.body), postback.version)
    for member, filler in ZERO_FILLS.items():
        if signed.get(member) == filler:
            rest = {name: value for name, value in signed.items() if name != member}
            message = skadnetwork.signed_message(rest)
            signature = Signature(postback.signature.key, message, postback.signature.value)
            if _signer(keys, signature):
                return member
    return None
