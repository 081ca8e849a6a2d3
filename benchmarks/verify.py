"""What a verdict costs beside the one thing that cannot be saved: the signature's own arithmetic.

    python -m benchmarks.verify [rounds]

Bare `cryptography` gets the message ready made and the key loaded; we get the text of a body and
give a verdict. Both run in one process, in turns, on the same signatures, by CPU time: ratios
hold on a busy machine, absolute figures do not.
"""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

import skan_receiver as skan
from skan_receiver.protocol.curves import with_ecdsa
from skan_receiver.testing import Signer, encode

# Long enough to measure, short enough that both sides of a round see the same neighbours.
BODIES = 100

ECDSA_SHA256 = ec.ECDSA(SHA256())


@dataclass(frozen=True)
class Contender:
    """One way to verify, over BODIES different signatures."""

    name: str
    run: Callable[[], int]  # returns how many signatures it verified
    beside: str = ""  # the contender it is a ratio of
    target: float = 0.0


def contenders(signer: Signer) -> list[Contender]:
    keys = signer.keys(production=True)
    skan_4 = [encode(_skan_4(signer, number)) for number in range(BODIES)]
    skan_2 = [encode(signer.skadnetwork("2.0")) for _ in range(BODIES)]
    aak = [encode(signer.adattributionkit(conversion_value=63)) for _ in range(BODIES)]
    return [
        Contender("P-256 bare, message ready", _bare(signer, "P-256", skan_4)),
        Contender(
            "SKAdNetwork 4.0, text to verdict",
            _ours(skan_4, keys),
            "P-256 bare, message ready",
            0.70,
        ),
        Contender("P-256 bare, JWS ready", _bare(signer, "P-256", aak)),
        Contender(
            "AdAttributionKit, text to verdict", _ours(aak, keys), "P-256 bare, JWS ready", 0.55
        ),
        Contender("P-192 bare, message ready", _bare(signer, "P-192", skan_2)),
        Contender(
            "SKAdNetwork 2.0, text to verdict", _ours(skan_2, keys), "P-192 bare, message ready"
        ),
        Contender(
            "P-192 by ecdsa, pure Python", _ecdsa(signer, skan_2[:2]), "P-192 bare, message ready"
        ),
    ]


def _skan_4(signer: Signer, number: int) -> dict[str, object]:
    return signer.skadnetwork("4.0", source_app_id=10738027756 + number, conversion_value=63)


def _ours(bodies: Sequence[bytes], keys: skan.Keys) -> Callable[[], int]:
    def run() -> int:
        verdicts = [skan.examine(body, keys).verdict for body in bodies]
        assert verdicts == ["valid"] * len(bodies)
        return len(bodies)

    return run


def _bare(signer: Signer, curve: str, bodies: Sequence[bytes]) -> Callable[[], int]:
    key = signer.private_key(curve).public_key()
    signatures = [(_der(s), s.message) for s in (skan.parse(body).signature for body in bodies)]

    def run() -> int:
        for value, message in signatures:
            key.verify(value, message, ECDSA_SHA256)
        return len(signatures)

    return run


def _ecdsa(signer: Signer, bodies: Sequence[bytes]) -> Callable[[], int]:
    verifies = with_ecdsa(signer.spki("P-192"))
    signatures = [skan.parse(body).signature for body in bodies]

    def run() -> int:
        assert all(verifies(s.message, s.value) for s in signatures)
        return len(signatures)

    return run


def _der(signature: skan.Signature) -> bytes:
    if signature.key in ("P-256", "P-192"):
        return signature.value
    r, s = signature.value[:32], signature.value[32:]
    return encode_dss_signature(int.from_bytes(r), int.from_bytes(s))


def measure(field: Sequence[Contender], rounds: int) -> dict[str, list[float]]:
    """CPU microseconds a signature, by contender, one figure a round."""
    times: dict[str, list[float]] = {contender.name: [] for contender in field}
    for _ in range(rounds):
        for contender in field:
            start = time.process_time()
            done = contender.run()
            times[contender.name].append((time.process_time() - start) / done * 1e6)
    return times


def report(field: Sequence[Contender], times: dict[str, list[float]]) -> str:
    lines = [f"{'':36}{'µs':>8}{'per s':>9}{'ratio':>8}{'target':>8}"]
    for contender in field:
        cost = median(times[contender.name])
        line = f"{contender.name:36}{cost:8.1f}{1e6 / cost:9,.0f}"
        if contender.beside:
            line += f"{_ratio(contender, times):8.2f}"
        if contender.target:
            line += f"{contender.target:8.2f}"
        lines.append(line)
    return "\n".join(lines)


def _ratio(contender: Contender, times: dict[str, list[float]]) -> float:
    """Speed beside the bare one's, as the median over rounds of what each round says."""
    rounds = zip(times[contender.beside], times[contender.name], strict=True)
    return median(bare / ours for bare, ours in rounds)


def main() -> int:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    field = contenders(Signer(seed=1))
    measure(field, 2)  # warm
    times = measure(field, rounds)
    print(report(field, times))
    return int(any(c.target and _ratio(c, times) < c.target for c in field))


if __name__ == "__main__":
    sys.exit(main())
