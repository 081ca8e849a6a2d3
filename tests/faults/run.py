"""`make faults`: break the service on purpose and print the books, a JSON line each.

Everything stays on this machine, is bounded in count and time, and ends by itself.
Exit status 1 where something acknowledged was lost, or anything counted twice.
"""

import argparse
import json
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator

import structlog

from tests import postgres
from tests.faults import blocked, delivery, kill, order


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="kills on each store (20)")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--only", choices=["kill", "full", "locked", "order", "delivery"])
    arguments = parser.parse_args()
    # The lines below are for programs; what the harness itself keeps is of no interest.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    good = True
    for name, fault in _faults(arguments.rounds, arguments.seed):
        if arguments.only in (None, name):
            seen = fault()
            print(json.dumps(seen), flush=True)
            good = good and bool(seen["balanced"]) and bool(seen.get("only_200_and_500", True))
            good = good and bool(seen.get("retry_after", "kill"))
    sys.exit(0 if good else 1)


def _faults(rounds: int, seed: int) -> Iterator[tuple[str, Callable[[], dict[str, object]]]]:
    stores = ("sqlite", "postgres") if postgres.available() else ("sqlite",)
    for store in stores:
        yield "kill", lambda store=store: kill.run(store, rounds, seed)  # type: ignore[misc]
    for store in stores:
        yield "locked", lambda store=store: blocked.locked(store)  # type: ignore[misc]
    yield from (("delivery", fault) for fault in delivery.faults(stores, rounds, seed))
    if order.available():
        yield "order", order.run
    else:
        print("left out: the order of syncs and answers (needs strace)", file=sys.stderr)
    if os.geteuid() == 0:
        yield "full", blocked.full_disk
    else:
        print("left out: the full disk (mounting a tmpfs needs root)", file=sys.stderr)


if __name__ == "__main__":
    main()
