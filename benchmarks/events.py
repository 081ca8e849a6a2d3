"""Installs and in-app events through the Flask view of one worker, durable before the answer.

    python -m benchmarks.events [--seconds 5] [--threads 32] [--destinations 1]

One process, as gunicorn's worker has it: threads that call the application, a fresh SQLite file
with `synchronous=FULL`, AppsFlyer's messages of 45 members, each a user of its own. Once one event
a request, once a hundred (NDJSON), without destinations and with some that each event is decided
for. Every row is counted afterwards. Trust the CPU time of an event; events a second depend on the
machine and on who else uses it.
"""

import argparse
import json
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import func, select
from werkzeug.test import EnvironBuilder, run_wsgi_app

from skan_receiver.config import Settings
from skan_receiver.delivery import registry
from skan_receiver.delivery.destinations import ANY_KIND
from skan_receiver.storage import Store, StoredEvent, connections, migrate
from skan_receiver.storage.columns import table
from skan_receiver.web import create_app

TOGETHER = 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--threads", type=int, default=32)
    parser.add_argument("--destinations", type=int, default=1)
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    for destinations in sorted({0, arguments.destinations}):
        for together in (1, TOGETHER):
            seen = _round(together, destinations, arguments.threads, arguments.seconds)
            print(json.dumps(seen), flush=True)


def _round(together: int, destinations: int, threads: int, seconds: float) -> dict[str, Any]:
    folder = Path(tempfile.mkdtemp(prefix="skan-bench-"))
    try:
        settings = Settings(var=folder, database_url=f"sqlite:///{folder / 'skan.sqlite3'}")
        store = Store(settings.database)
        migrate.upgrade(store)
        for number in range(destinations):
            registry.add(store, _destination(f"d{number}"))
        token = connections.connect(store, "af", "appsflyer", datetime.now(UTC))
        seen = _load(create_app(settings), f"/mmp/appsflyer/{token}", together, threads, seconds)
        with store.read() as connection:
            rows = connection.scalar(select(func.count()).select_from(table(StoredEvent)))
        return {
            "together": together,
            "destinations": destinations,
            **seen,
            "nothing_lost": rows == seen["events"],
        }
    finally:
        shutil.rmtree(folder)


def _load(app: Any, path: str, together: int, threads: int, seconds: float) -> dict[str, Any]:
    numbers, waits = count(), list[float]()
    until = time.perf_counter() + seconds

    def run() -> None:
        while time.perf_counter() < until:
            body = b"\n".join(_messages(next(numbers), together))
            environ = EnvironBuilder(path, method="POST", data=body).get_environ()
            begun = time.perf_counter()
            _, status, _ = run_wsgi_app(app, environ)
            waits.append(time.perf_counter() - begun)
            assert status.startswith("200"), status

    begun, cpu = time.perf_counter(), time.process_time()
    running = [threading.Thread(target=run) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    spent, cpu = time.perf_counter() - begun, time.process_time() - cpu
    return _figures(waits, together, spent, cpu)


def _figures(waits: Sequence[float], together: int, spent: float, cpu: float) -> dict[str, Any]:
    events, slow = len(waits) * together, sorted(waits)
    return {
        "events": events,
        "events_s": round(events / spent),
        "cpu_us": round(1e6 * cpu / events),
        "p50_ms": round(1e3 * slow[len(slow) // 2], 1),
        "p99_ms": round(1e3 * slow[len(slow) * 99 // 100], 1),
    }


def _messages(number: int, together: int) -> Iterator[bytes]:
    for place in range(together):
        who = number * together + place
        yield json.dumps(
            {
                **{f"contributor_{n}_{what}": None for n in (1, 2, 3) for what in ("touch", "prt")},
                "api_version": "2.0",
                "app_id": "id1555000111",
                "app_name": "Tea House",
                "app_version": "3.2.0",
                "bundle_id": "com.example.teahouse",
                "platform": "ios",
                "appsflyer_id": f"17000000-{who}",
                "idfa": f"9F3C1B7E-52D4-4A60-8C11-{who:012d}",
                "idfv": f"41D6E0A8-7B35-4C9F-A2E4-{who:012d}",
                "advertising_id": None,
                "customer_user_id": f"user-{who}",
                "event_name": "af_purchase",
                "event_time": "2026-03-04 10:11:12.345",
                "event_value": f'{{"af_order_id":"T-{who}"}}',
                "event_revenue": 12.34,
                "event_revenue_currency": "EUR",
                "install_time": "2026-03-01 09:00:00.000",
                "attributed_touch_time": "2026-03-01 08:55:00.000",
                "attributed_touch_type": "click",
                "media_source": "examplenet_int",
                "campaign": "Spring",
                "af_c_id": "c-1",
                "af_adset_id": "a-1",
                "af_ad_id": "d-1",
                "af_siteid": "site-9",
                "match_type": "id_matching",
                "is_retargeting": False,
                "ip": "203.0.113.7",
                "user_agent": "TeaHouse/3.2.0 CFNetwork Darwin",
                "country_code": "US",
                "os_version": "18.3",
                "device_type": "iPhone17,1",
                "language": "en-GB",
                "sdk_version": "v6.15",
                "is_lat": None,
                "att": "authorized",
                "gdpr_applies": None,
            }
        ).encode()


def _destination(name: str) -> Any:
    return ANY_KIND.validate_python(
        {
            "name": name,
            "kind": "event",
            "partner": "examplenet",
            "media_sources": ["examplenet_int"],
            "already_sent_by_mmp": False,
            "events": ["af_purchase=Purchase"],
            "url": "https://partner.example/in?click={click_id}&event={event_name}",
            "method": "GET",
        }
    )


if __name__ == "__main__":
    main()
