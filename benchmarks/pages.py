"""How long the server takes for each page, on the demo or on a store of yours.

python -m benchmarks.pages                      # makes a demo, looks at every page nine times
python -m benchmarks.pages sqlite:///path       # the pages of that store; changes nothing but
                                                # the last use of a login it makes and removes
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from skan_receiver.config import Settings
from skan_receiver.storage import Store, access
from skan_receiver.web import create_app

TIMES = 9
LIMIT_MS = {"demo": 200, "store": 500}
USER = "benchmark"
PATHS = (
    "/", "/?span=day", "/?span=year", "/postbacks", "/postbacks?fine_value=63",
    "/postbacks?source_identifier=5239", "/postbacks?id=00000000-0000-0000-0000-000000000000",
    "/postbacks/1", "/events", "/reports", "/reports/volumes", "/reports/values",
    "/reports/revenue", "/reports/results", "/schemas", "/schemas/525463029",
    "/schemas/525463029/edit", "/campaigns", "/costs", "/destinations", "/presets",
    "/deliveries", "/upload", "/alerts", "/alerts/rules", "/alerts/channels", "/settings",
    "/settings/apps", "/settings/networks", "/settings/users", "/settings/keys", "/settings/audit",
)  # fmt: skip


def main() -> None:
    """A line for each page: its median, its size, and whether it is within the limit."""
    if len(sys.argv) > 1:
        return measure(Settings(database_url=sys.argv[1]), "store")
    with tempfile.TemporaryDirectory() as var:
        command = [sys.executable, "-m", "skan_receiver", "demo", "--no-serve"]
        environment = {**os.environ, "SKAN_VAR": var}
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
        demo = Path(var) / "demo"
        database = f"sqlite:///{demo / 'skan.sqlite3'}"
        measure(Settings(var=demo, sandbox=True, database_url=database), "demo")
    return None


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
