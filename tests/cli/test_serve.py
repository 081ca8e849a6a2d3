"""`serve` keeps web and worker running, and leaves nobody behind."""

import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from skan_receiver.storage import Store
from skan_receiver.storage.schemas import history
from skan_receiver.testing import encode
from tests.conversion.schemas import rules, text
from tests.faults.service import Service, free_port


@contextmanager
def serving(folder: Path) -> Iterator[Service]:
    service = Service(f"sqlite:///{folder}/skan.sqlite3", folder, SKAN_LOG_LEVEL="INFO")
    service.start()
    yield service
    with suppress(psutil.NoSuchProcess):
        service.kill()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """One that a test may end."""
    with serving(tmp_path) as service:
        yield service


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One that goes on after each test."""
    with serving(tmp_path_factory.mktemp("lasting")) as service:
        yield service


def until(happened: Callable[[], object], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "never happened"
        time.sleep(0.05)


def named(service: Service, words: str) -> list[psutil.Process]:
    found = []
    for process in service.processes():
        with suppress(psutil.NoSuchProcess):
            if words in " ".join(process.cmdline()):
                found.append(process)
    return found


def test_a_first_start_prints_a_link_to_choose_a_password(lasting: Service) -> None:
    """A newcomer needs no password file."""
    (link,) = re.findall(rf"http://127.0.0.1:{lasting.port}(/login/\S+)", lasting.log.read_text())
    assert lasting.get(link) == 200


def test_a_killed_worker_is_started_again(lasting: Service) -> None:
    """Nobody has to notice."""
    (worker,) = named(lasting, "skan_receiver worker")
    worker.send_signal(signal.SIGKILL)
    until(lambda: [p for p in named(lasting, "skan_receiver worker") if p.pid != worker.pid])
    assert lasting.get("/livez") == 200


def test_a_killed_web_is_started_again(lasting: Service) -> None:
    """All of gunicorn at once, as the kernel does when memory runs out."""
    web = named(lasting, "gunicorn")
    for process in web:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)

    def ready() -> bool:
        with suppress(OSError):
            return lasting.get("/livez") == 200
        return False

    until(ready)
    assert lasting.post(encode(lasting.signer.skadnetwork("4.0")))[0] == 200


def test_schemas_are_published_at_the_start_and_as_their_files_change(service: Service) -> None:
    """Nobody has to publish what is in the folder; a mistake is told, and stops nothing."""
    store = Store(service.database_url)
    file = service.folder / "conversion_schemas" / "shop.yaml"
    file.parent.mkdir()

    def published() -> list[str]:
        with store.read() as connection:
            return [version.text for version in history(connection)]

    for number, event in enumerate(("purchase", "session"), start=1):
        file.write_text(text(rules(f"value: 20, when: [{{event: {event}}}]")))
        until(lambda number=number: len(published()) == number)  # type: ignore[misc]
        file.write_text("app: [")
        until(lambda: "schema not imported" in service.log.read_text())
    service.stop()
    file.write_text(text(rules("value: 20, when: [{event: tutorial}]")))
    service.start()
    assert "tutorial}]" in published()[2]
    store.close()


def test_sigterm_ends_everything_in_good_order(service: Service) -> None:
    """As systemd and Kubernetes ask: within their patience, and nobody is left."""
    everybody = service.processes()
    assert service.stop() < 15
    assert not [process for process in everybody if process.is_running()]


def test_a_killed_supervisor_leaves_nobody_behind(service: Service) -> None:
    """A second start must not find the port taken by a ghost."""
    supervisor, *children = service.processes()
    supervisor.send_signal(signal.SIGKILL)
    assert service.process is not None
    service.process.wait()
    _, alive = psutil.wait_procs(children, timeout=20)
    assert alive == []
    service.start()


def test_hup_reloads_without_refusing_anybody(lasting: Service) -> None:
    """New settings, same socket."""
    before = {process.pid for process in lasting.processes()}
    assert lasting.process is not None
    lasting.process.send_signal(signal.SIGHUP)
    answers = set()
    deadline = time.monotonic() + 4
    while time.monotonic() < deadline:
        answers.add(lasting.post(encode(lasting.signer.skadnetwork("4.0")))[0])
    after = {process.pid for process in lasting.processes()}
    assert answers == {200}
    assert lasting.process.pid in after
    assert len(before - after) >= 3  # two of gunicorn's and the worker


def test_a_taken_port_is_named_at_once(tmp_path: Path, lasting: Service) -> None:
    """Not by five tracebacks of gunicorn's."""
    (tmp_path / "second").mkdir()
    second = Service(lasting.database_url, tmp_path / "second")
    second.environment = {**second.environment, "PORT": str(lasting.port)}
    second.port = free_port()
    with pytest.raises(ChildProcessError, match=f"PORT: 127.0.0.1:{lasting.port} cannot be used"):
        second.start()
