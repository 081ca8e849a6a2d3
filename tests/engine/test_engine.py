"""What Celery is told, and what is said where it cannot be used. No broker is needed."""

import os
import ssl
import subprocess
import sys
import time
from pathlib import Path

import pytest

from skan_receiver.config import Settings, load
from skan_receiver.delivery.hints import EngineUnavailable, Hinter
from skan_receiver.engine import Broker, application, configuration
from skan_receiver.errors import ConfigurationError
from skan_receiver.storage import Store
from tests.delivery.owing import Books, relay
from tests.delivery.test_transport import certificate
from tests.sink import closed_port, sink


def hints(url: str) -> Broker:
    settings = Settings(engine="celery", broker_url=url)
    return Broker(application(lambda: settings))


def test_celery_wants_a_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without one Celery would look for a RabbitMQ on this machine, and find anybody's."""
    monkeypatch.setenv("SKAN_ENGINE", "celery")
    with pytest.raises(ConfigurationError, match=r"SKAN_BROKER_URL: .*SKAN_ENGINE=celery"):
        load()


def test_there_are_two_engines(monkeypatch: pytest.MonkeyPatch) -> None:
    """A third is a mistake, and is named."""
    monkeypatch.setenv("SKAN_ENGINE", "rq")
    with pytest.raises(ConfigurationError, match="SKAN_ENGINE"):
        load()


def test_a_brokers_password_is_not_shown() -> None:
    """Not where settings are printed, nor where the broker is complained of."""
    url = f"redis://:hush@127.0.0.1:{closed_port()}/0"
    assert "hush" not in repr(Settings(engine="celery", broker_url=url))
    with pytest.raises(EngineUnavailable) as caught:
        hints(url).waiting()
    assert "hush" not in str(caught.value)


def test_who_does_not_use_celery_does_not_load_it() -> None:
    """It is an extra, and large."""
    program = "import sys, skan_receiver.worker, skan_receiver.web; print('celery' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "False\n"


def test_celery_that_is_not_there_is_asked_for(tmp_path: Path, sqlite_url: str) -> None:
    """In one line that says what to do."""
    program = "import sys; sys.modules['celery'] = None; from skan_receiver.cli import main; main()"
    environment = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": sqlite_url,
        "SKAN_VAR": str(tmp_path),
        "SKAN_ENGINE": "celery",
        "SKAN_BROKER_URL": "redis://127.0.0.1:1/0",
    }
    command = [sys.executable, "-c", program, "worker"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 2
    assert "pip install 'skan-receiver[celery]'" in done.stderr.splitlines()[-1]


def test_celery_is_not_started_by_mistake() -> None:
    """Its workers wait for ever where the worker sends by itself."""
    with pytest.raises(ConfigurationError, match="SKAN_ENGINE"):
        configuration(Settings(broker_url="redis://127.0.0.1:1/0"))


def test_nothing_is_kept_in_a_broker_and_nothing_is_pickled() -> None:
    """As Celery understands what it was told."""
    conf = hints("amqp://127.0.0.1:1//")._app.conf
    assert (conf.task_serializer, conf.accept_content) == ("json", ["json"])
    assert (conf.result_backend, conf.task_ignore_result) == (None, True)
    assert (conf.task_acks_late, conf.worker_prefetch_multiplier) == (False, 1)
    assert conf.worker_enable_remote_control is False


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_a_broker_that_is_not_there_is_no_loss(store: Store, scheme: str) -> None:
    """The job fails at once, what was not told counts as not told, and no row is changed."""
    books = Books(store)
    books.owe([relay("https://copy.example/in")], 3)
    broker = hints(f"{scheme}://127.0.0.1:{closed_port()}/")
    begun = time.monotonic()
    with pytest.raises(EngineUnavailable):
        Hinter(store, broker).step()
    with pytest.raises(EngineUnavailable):
        broker.tell("copy", [1])
    assert time.monotonic() - begun < 10
    assert {row.hinted_at for row in books.deliveries()} == {None}


@pytest.mark.parametrize("scheme", ["rediss", "amqps"])
def test_a_brokers_certificate_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    """That somebody we know vouches for it, and for this name: kombu alone would ask neither."""
    context, authority = certificate(tmp_path, "broker.example")
    with sink(tls=context) as open_:
        url = open_.url.replace("https", scheme).removesuffix("in")
        with pytest.raises(EngineUnavailable, match=r"CERTIFICATE_VERIFY_FAILED.*self.signed"):
            hints(url).waiting()
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))
        assert ssl.create_default_context().get_ca_certs()
        with pytest.raises(EngineUnavailable, match=r"CERTIFICATE_VERIFY_FAILED.*mismatch"):
            hints(url).waiting()
