"""Real brokers from Debian, each in a new folder and on free ports of 127.0.0.1."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any

from kombu import Connection

from skan_receiver.engine import QUEUE

NOBODY = 65534
PORTS = range(20_000, 32_000)  # below the ephemeral ones
PATH = "/usr/lib/rabbitmq/bin:/usr/sbin:/usr/bin:/bin"

# Each sends its greeting only when it is ready for more.
HELLO = {"redis": b"PING\r\n", "rabbitmq": b"AMQP\x00\x00\x09\x01"}


class Broker:
    """A broker that can be killed, emptied, and started again where it was."""

    def __init__(self, kind: str, folder: Path, ports: Sequence[int]) -> None:
        self.kind, self.folder, self.ports = kind, folder, ports
        scheme, path = ("redis", "/0") if kind == "redis" else ("amqp", "//")
        self.url = f"{scheme}://127.0.0.1:{ports[0]}{path}"
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Return when it answers."""
        for command, environment in _redis(self) if self.kind == "redis" else _rabbitmq(self):
            process = subprocess.Popen(
                command,
                env={"PATH": PATH, "HOME": str(self.folder), "LANG": "C.UTF-8", **environment},
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                **_identity(),
            )
            self._processes.append(process)
        self._wait()

    def kill(self) -> None:
        """kill -9: whatever it held in memory is gone."""
        for process in self._processes:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self._processes = []

    @contextmanager
    def away(self, seconds: float) -> Iterator[None]:
        """Killed now, and started again when so many seconds have passed, at least."""
        self.kill()
        gone = time.monotonic()
        try:
            yield
            time.sleep(max(0.0, gone + seconds - time.monotonic()))
        finally:
            self.start()

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """It takes connections, and says nothing."""
        for process in self._processes:
            os.killpg(process.pid, signal.SIGSTOP)
        time.sleep(0.5)  # Erlang's many threads do not stop at once
        try:
            yield
        finally:
            for process in self._processes:
                os.killpg(process.pid, signal.SIGCONT)

    def empty(self) -> int:
        """Forget every message, and what else it knows; how many messages there were."""
        with Connection(self.url) as connection, connection.channel() as channel:
            channel.queue_declare(QUEUE, durable=True, auto_delete=False)
            count = int(channel.queue_purge(QUEUE))
            if self.kind == "redis":
                channel.client.flushdb()
            return count

    def messages(self) -> list[Any]:
        """Take every message, as kombu reads it."""
        with Connection(self.url) as connection, connection.channel() as channel:
            return list(iter(lambda: channel.basic_get(QUEUE, no_ack=True), None))

    def _wait(self) -> None:
        for _ in range(600):
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.ports[0]), 1) as it:
                it.sendall(HELLO[self.kind])
                if it.recv(1):
                    return
            time.sleep(0.1)
        raise TimeoutError(f"{self.kind} did not start within a minute")


@contextmanager
def running(kind: str) -> Iterator[Broker]:
    """A broker of its own; gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix=f"skan-{kind}-", dir="/tmp"))
    if os.geteuid() == 0:
        os.chown(folder, NOBODY, NOBODY)
    broker = Broker(kind, folder, _free_ports(3))
    try:
        broker.start()
        yield broker
    finally:
        broker.kill()
        shutil.rmtree(folder, ignore_errors=True)


def available(kind: str) -> bool:
    """Whether this machine has it."""
    program = {"redis": "redis-server", "rabbitmq": "rabbitmq-server"}[kind]
    return shutil.which(program, path=PATH) is not None


Command = tuple[Sequence[str], Mapping[str, str]]


def _redis(broker: Broker) -> Iterator[Command]:
    options = {"port": str(broker.ports[0]), "bind": "127.0.0.1", "dir": str(broker.folder)}
    options |= {"save": "", "appendonly": "no"}
    yield (
        ("redis-server", *(w for name, value in options.items() for w in (f"--{name}", value))),
        {},
    )


def _rabbitmq(broker: Broker) -> Iterator[Command]:
    port, distribution, names = map(str, broker.ports)
    own = {"ERL_EPMD_PORT": names, "ERL_EPMD_ADDRESS": "127.0.0.1"}
    # Erlang would start its name server by itself, and leave it behind.
    yield ("epmd",), own
    yield (
        ("rabbitmq-server", "-noinput"),
        {
            **own,
            "RABBITMQ_ALLOW_INPUT": "1",  # no shell around it: our child is the broker
            "RABBITMQ_NODENAME": f"skan{port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": port,
            "RABBITMQ_DIST_PORT": distribution,
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_CONFIG_FILE": str(broker.folder / "rabbitmq"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(broker.folder / "advanced"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(broker.folder / "plugins"),
            "RABBITMQ_MNESIA_BASE": str(broker.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(broker.folder / "log"),
        },
    )


def _free_ports(count: int) -> list[int]:
    ports = Random(os.urandom(8)).sample(PORTS, len(PORTS))
    with ExitStack() as held:
        found: list[int] = []
        for port in ports:
            probe = held.enter_context(socket.socket())
            with suppress(OSError):
                probe.bind(("127.0.0.1", port))
                found.append(port)
            if len(found) == count:
                return found
    raise OSError("no free ports")


def _identity() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []}
