"""Nothing waits for ever for the store: a device that is told 500 tries again."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from threading import Event

import pytest
from sqlalchemy import Connection, make_url, text

from skan_receiver.errors import StoreUnavailable
from skan_receiver.storage import Store


@contextmanager
def writing(url: str) -> Iterator[None]:
    """Somebody is in the middle of a write. Locks of files know stores, not processes."""
    inside, done = Event(), Event()
    store = Store(url)

    def work(_: Connection) -> None:
        inside.set()
        done.wait(30)

    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(store.write, work)
        try:
            assert inside.wait(10)
            yield
        finally:
            done.set()
            held.result()
            store.close()


def refused(store: Store) -> tuple[str, float]:
    start = time.monotonic()
    with pytest.raises(StoreUnavailable) as caught:
        store.write(lambda _: None)
    return str(caught.value), time.monotonic() - start


def test_a_writer_waits_five_seconds_for_another(sqlite_url: str) -> None:
    """One that was stopped, or whose disk hangs, holds its lock until somebody looks after it."""
    store = Store(sqlite_url)
    with writing(sqlite_url), ThreadPoolExecutor(2) as pool:
        said = list(pool.map(refused, [store, store]))
    assert any(".lock" in why for why, _ in said)
    assert all(4 < waited < 8 for _, waited in said)
    store.write(lambda _: None)
    store.close()


def test_writers_take_turns(sqlite_url: str) -> None:
    """None that comes back at once gets in again before those that wait."""
    order: list[int] = []

    def write(number: int) -> None:
        def work(_: Connection) -> None:
            order.append(number)
            time.sleep(0.003)

        store = Store(sqlite_url)
        for _ in range(40):
            store.write(work)
        store.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, range(2)))
    together = order[order.index(1 - order[0]) : 60]
    changes = sum(one != other for one, other in pairwise(together))
    assert changes > len(together) * 0.7


@pytest.mark.postgres
def test_a_server_that_vanishes_is_noticed(postgres_url: str) -> None:
    """TCP alone would wait for a quarter of an hour; what the URL says goes first."""
    url = make_url(postgres_url).update_query_dict({"keepalives_idle": "20"})
    store = Store(url.render_as_string(hide_password=False))
    with store.read() as connection:
        driver = connection.connection.driver_connection
        assert driver
        said = driver.info.get_parameters()
    store.close()
    assert said["tcp_user_timeout"] == "10000"
    assert (said["keepalives_idle"], said["keepalives_count"]) == ("20", "3")


@pytest.mark.postgres
def test_options_in_the_url_are_kept(postgres_url: str) -> None:
    """Ours come on top: none of them may be unsaid."""
    options = "-c search_path=elsewhere -c statement_timeout=90s -c synchronous_commit=off"
    url = make_url(postgres_url).update_query_dict({"options": options})
    store = Store(url.render_as_string(hide_password=False))
    with store.read() as connection:
        said = [
            connection.scalar(text(f"SHOW {name}"))
            for name in ("search_path", "statement_timeout", "synchronous_commit", "lock_timeout")
        ]
    store.close()
    assert said == ["elsewhere", "90s", "on", "5s"]
