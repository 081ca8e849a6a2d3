"""What makes two arrivals the same postback, in 16 bytes."""

from collections.abc import Iterable
from hashlib import blake2b
from itertools import product

from skan_receiver.protocol.postback import Framework, Postback, Verdict

WINDOWS = range(3)


def identity(postback: Postback, verdict: Verdict) -> bytes:
    """The key under which a postback is kept and counted once.

    Case does not tell ids apart: Apple writes them in lower case in one framework, in upper
    case in the other, and forwarders change it. The verdict is part of it, so that nobody can
    keep a valid postback out by sending an invalid one first.
    """
    return _identity(postback.framework, postback.id, postback.window, verdict)


def identities(postback_id: str, verdicts: Iterable[Verdict] = Verdict) -> list[bytes]:
    """Every identity that a postback with this id could have: for finding one by its id."""
    return [_identity(f, postback_id, w, v) for f, w, v in product(Framework, WINDOWS, verdicts)]


def _identity(framework: Framework, postback_id: str, window: int, verdict: Verdict) -> bytes:
    # The id comes last: it is the only part that could hold the separator.
    text = f"{framework}\0{window}\0{verdict}\0{postback_id.lower()}"
    # What is searched for may be no text at all.
    return blake2b(text.encode(errors="surrogatepass"), digest_size=16).digest()
