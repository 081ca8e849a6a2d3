"""Celery, where SKAN_ENGINE=celery: it carries hints, and its workers deliver (docs/engine.md).

    celery -A skan_receiver.engine worker -P threads -c 16

The ledger is the queue of record. So messages are not worth keeping: they are acknowledged when
they are taken and lie on no broker's disk, and nothing waits in a broker for its time to come.
"""

import logging
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import structlog

from skan_receiver.config import Settings, load
from skan_receiver.delivery.chunk import Chunks
from skan_receiver.delivery.hints import EngineUnavailable, Tell
from skan_receiver.errors import ConfigurationError, StoreUnavailable
from skan_receiver.storage import Store
from skan_receiver.worker import sender

try:
    from celery import Celery, signals
    from celery.app.amqp import AMQP
    from kombu import Connection
    from kombu.exceptions import KombuError
except ModuleNotFoundError as error:
    raise ConfigurationError(
        f"SKAN_ENGINE=celery needs {error.name}: pip install 'skan-receiver[celery]'"
    ) from None

log = structlog.get_logger("engine")

TASK = "skan.deliver"
QUEUE = "skan-deliveries"

# A broker that does not answer is away; who only listens asks it every few seconds.
CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 3.0
ASK_SECONDS = 5.0
# How often a worker looks for one that is away. Celery's own would wait for half a minute.
RECONNECT_SECONDS = 3.0

# Each transport has its own words for it, and refuses the others'.
_REDIS = {
    "socket_connect_timeout": CONNECT_SECONDS,
    "socket_timeout": ANSWER_SECONDS,
    "health_check_interval": ASK_SECONDS,
}
_AMQP = {"read_timeout": ANSWER_SECONDS, "write_timeout": ANSWER_SECONDS}
_BOUNDS = {"redis": _REDIS, "rediss": _REDIS, "amqp": _AMQP, "amqps": _AMQP}

# By itself kombu would believe any certificate of a Redis, and one for any name of an AMQP broker.
_CHECKED: dict[str, dict[str, Any]] = {
    "rediss": {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True},
    "amqps": {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": None},  # None: as in the URL
}


class _Connection(Connection):  # type: ignore[misc]  # neither is typed
    def ensure_connection(self, *args: Any, **options: Any) -> Any:
        return super().ensure_connection(*args, interval_max=RECONNECT_SECONDS, **options)


class _Amqp(AMQP):  # type: ignore[misc]
    Connection = _Connection


def configuration(settings: Settings) -> dict[str, Any]:
    """What Celery is told; ConfigurationError where it is not to be used."""
    if settings.engine != "celery":
        raise ConfigurationError("SKAN_ENGINE must be celery, for the worker and for Celery's")
    scheme = settings.broker_url.partition(":")[0]
    return {
        "broker_url": settings.broker_url,
        "broker_connection_timeout": CONNECT_SECONDS,
        "broker_heartbeat": 2 * ASK_SECONDS,
        "broker_connection_max_retries": None,
        "broker_connection_retry_on_startup": True,
        "broker_transport_options": _BOUNDS.get(scheme, {}),
        **({"broker_use_ssl": _CHECKED[scheme]} if scheme in _CHECKED else {}),
        "task_default_queue": QUEUE,
        "task_default_delivery_mode": "transient",
        "task_ignore_result": True,
        "task_serializer": "json",
        "accept_content": ["json"],
        "worker_prefetch_multiplier": 1,
        "worker_enable_prefetch_count_reduction": False,
        # Who can write to the broker is not to command the workers.
        "worker_enable_remote_control": False,
        "worker_redirect_stdouts": False,
    }


class Broker:
    """How hints get to Celery's workers: a destination's name and ids, and nothing else."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def tell(self, destination: str, ids: Sequence[int]) -> None:
        """Leave a message; EngineUnavailable where the broker does not take it in time."""
        once_more = {"max_retries": 1, "interval_start": 0}  # over a new connection
        with self._translated():
            self._app.send_task(TASK, (destination, list(ids)), retry_policy=once_more)

    def waiting(self) -> int:
        """How many messages nobody has taken; EngineUnavailable where the broker does not say."""
        with self._translated(), self._app.pool.acquire(block=True) as connection:
            queue = self._app.amqp.queues[QUEUE](connection.default_channel)
            return int(queue.queue_declare().message_count)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        client = self._app.pool.connection
        try:
            yield
        except (KombuError, OSError, *client.connection_errors, *client.channel_errors) as error:
            why = str(error) or type(error).__name__
            raise EngineUnavailable(f"{client.as_uri()}: {why}") from error


def chunks(settings: Settings, tell: Tell) -> Chunks:
    """What delivers, as this process is set up."""
    store = Store(settings.database)
    return Chunks(store, sender(settings, store), tell)


class _Once:
    """Made at the first message, in the process that delivers: nothing is opened before a fork."""

    def __init__(self, make: Callable[[], Chunks]) -> None:
        self._make, self._lock = make, threading.Lock()
        self._made: Chunks | None = None

    def __call__(self) -> Chunks:
        with self._lock:
            self._made = self._made or self._make()
            return self._made

    def stop(self, **_: Any) -> None:
        if self._made is not None:
            self._made.stop()


def application(
    settings: Callable[[], Settings], make: Callable[[Settings, Tell], Chunks] = chunks
) -> Celery:
    """Celery as it is set up here; settings are read when they are first needed."""
    app = Celery("skan_receiver", amqp=_Amqp, set_as_current=False)
    app.add_defaults(lambda: configuration(settings()))
    once = _Once(lambda: make(settings(), Broker(app).tell))

    def deliver(destination: str, ids: list[int]) -> None:
        try:
            once().deliver(destination, ids)
        except StoreUnavailable as error:
            log.warning("store unavailable", destination=destination, error=str(error))

    app.task(name=TASK, shared=False)(deliver)
    signals.worker_shutting_down.connect(once.stop, weak=False)
    return app


def _logs(**_: Any) -> None:
    """As every process of ours logs; this one is started by no command of ours."""
    from skan_receiver.web.logs import configure

    configure(load())
    for each_message in ("celery.worker.strategy", "celery.app.trace"):
        logging.getLogger(each_message).setLevel(logging.WARNING)


signals.setup_logging.connect(_logs)
app = application(load)
