"""A million installs into a file: seconds, cores busy, memory.

    python -m benchmarks.simulator [--truth]

Beside it, in the same run, what signing that many texts costs in a loop that does nothing else.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.importing import watch
from skan_receiver.testing import Signer

SCENARIO = Path(__file__).parents[1] / "scenarios" / "million.yaml"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--truth", action="store_true", help="write the truth too")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="skan-bench-"))
    try:
        print(json.dumps(measure(folder, truth=arguments.truth), indent=2))
    finally:
        shutil.rmtree(folder)


def measure(folder: Path, *, truth: bool) -> dict[str, object]:
    environment = {**os.environ, "SKAN_VAR": str(folder)}
    file = folder / "postbacks.ndjson"
    command = [sys.executable, "-m", "skan_receiver", "simulate", "run", str(SCENARIO)]
    command += ["--to", str(file)] + (["--truth", str(folder / "truth")] if truth else [])
    seen = watch(command, environment)
    with file.open("rb") as lines:
        postbacks = sum(1 for _ in lines)
    return {
        "installs": 1_000_000,
        "postbacks": postbacks,
        "gigabytes": round(file.stat().st_size / 1e9, 2),
        "seconds": round(seen["seconds"], 1),
        "cpu_seconds": round(seen["cpu"], 1),
        "cores_busy": round(seen["cpu"] / seen["seconds"], 2),
        "seconds_on_two_free_cores": round(seen["cpu"] / 2, 1),
        "peak_mb": round(seen["peak"] / 1e6),
        "bare_signing_cpu_seconds": round(bare() * postbacks, 1),
    }


def bare(sample: int = 5_000) -> float:
    """CPU seconds of one signature."""
    signer = Signer()
    signer.private_key("P-256")
    begun = time.process_time()
    for n in range(sample):
        signer.sign({"version": "4.0", "transaction-id": str(n)})
    return (time.process_time() - begun) / sample


if __name__ == "__main__":
    main()
