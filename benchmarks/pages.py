"""How long the server takes for each page: on the demo, on a year's postbacks, on a store of yours.

    python -m benchmarks.pages                        # a demo, at every page nine times
    python -m benchmarks.pages --postbacks 10000000 [--stores sqlite,postgres]
    python -m benchmarks.pages --store sqlite:///path # changes nothing but the last use of a
                                                      # login that it makes and removes

The year's postbacks are those of `benchmarks.dashboard`, up to now: with their counts, arrivals,
and a delivery for each. Each app has a schema, and a newer version that came within the year.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import rows
from benchmarks.dashboard import fill, schemas
from benchmarks.deliver import STORES, store
from benchmarks.world import draw
from skan_receiver.config import Settings
from skan_receiver.storage import Store, access
from skan_receiver.web import create_app

TIMES = 9
LIMIT_MS = {"demo": 200, "store": 500}
USER = "benchmark"
PATHS = (
    "/", "/?span=day", "/?span=year", "/revenue?span=year",
    "/postbacks", "/postbacks?fine_value=63",
    "/postbacks?source_identifier=5239", "/postbacks?id=00000000-0000-0000-0000-000000000000",
    "/postbacks/1", "/events", "/reports", "/reports/volumes", "/reports/values",
    "/reports/revenue", "/reports/results", "/schemas", "/schemas/525463029",
    "/schemas/525463029/edit", "/campaigns", "/costs", "/destinations", "/presets",
    "/deliveries", "/upload", "/alerts", "/alerts/rules", "/alerts/channels", "/settings",
    "/settings/apps", "/settings/networks", "/settings/users", "/settings/keys", "/settings/audit",
)  # fmt: skip


def main() -> None:
    """A line for each page: its median, its size, and whether it is within the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postbacks", type=int)
    parser.add_argument("--stores", default=",".join(STORES))
    parser.add_argument("--store")
    arguments = parser.parse_args()
    if arguments.store:
        measure(Settings(database_url=arguments.store), "store")
    elif arguments.postbacks:
        for name in arguments.stores.split(","):
            of_a_year(name, arguments.postbacks)
    else:
        of_the_demo()


def of_the_demo() -> None:
    """As `make demo` makes it."""
    with tempfile.TemporaryDirectory() as var:
        command = [sys.executable, "-m", "skan_receiver", "demo", "--no-serve"]
        environment = {**os.environ, "SKAN_VAR": var}
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
        demo = Path(var) / "demo"
        database = f"sqlite:///{demo / 'skan.sqlite3'}"
        measure(Settings(var=demo, sandbox=True, database_url=database), "demo")


def of_a_year(name: str, postbacks: int) -> None:
    """So many in the year; of them what came up to now."""
    now = datetime.now(UTC)
    with store(name) as fresh, tempfile.TemporaryDirectory() as var:
        world = draw(postbacks)
        schemas(fresh, 1)
        done = rows.write(fresh, world, now)
        fill(fresh, world)
        print(f"{name}: {done:,} postbacks", flush=True)
        measure(Settings(var=Path(var), database_url=str(fresh.url)), "store")


def measure(settings: Settings, kind: str) -> None:
    """Sign in, and look at every page."""
    app = create_app(settings)
    client = app.test_client()
    store = Store(settings.database)
    name = f"{USER}-{time.time_ns()}"
    access.add_user(store, name, datetime.now(UTC))
    (row,) = (row for row in access.users(store) if row.name == name)
    with client.session_transaction() as session:
        session.update(user=row.id, salt=row.session_salt, since=int(time.time()))
    limit = LIMIT_MS[kind]
    slow = 0
    for path in PATHS:
        took, size = [], 0
        for _ in range(TIMES):
            begun = time.perf_counter()
            answer = client.get(path)
            took.append((time.perf_counter() - begun) * 1000)
            size = len(answer.data)
        median = statistics.median(took)
        slow += median > limit
        mark = "" if median <= limit else f"  over {limit} ms"
        print(f"{path:<52} {answer.status_code} {median:8.1f} ms {size / 1000:8.1f} kB{mark}")
    store.write(lambda c: c.exec_driver_sql(f"DELETE FROM account WHERE name = '{name}'"))
    print(f"{len(PATHS) - slow} of {len(PATHS)} pages within {limit} ms (median of {TIMES})")


if __name__ == "__main__":
    main()
