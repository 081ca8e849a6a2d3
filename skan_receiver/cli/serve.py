"""`serve`: everything on one machine with one command."""

import os
import shutil
import socket
import sys
import tempfile
from datetime import UTC, datetime

import click

from skan_receiver.cli.supervisor import Child, Supervisor
from skan_receiver.config import Settings, load
from skan_receiver.errors import ConfigurationError
from skan_receiver.storage import Store, migrate
from skan_receiver.storage.access import ensure_admin
from skan_receiver.storage.folder import import_folder
from skan_receiver.web.logs import configure

GUNICORN = ("-m", "gunicorn", "-c", "python:skan_receiver.web.gunicorn_conf")


@click.command()
@click.option("--no-worker", is_flag=True, help="Web only: the worker runs elsewhere.")
def serve(*, no_worker: bool) -> None:
    """Run web and worker, and keep them running.

    Upgrades the database first. SIGTERM or Ctrl-C stops in good order, SIGHUP reloads.
    """
    settings = load()
    configure(settings)
    _free(settings)
    _prepare(settings)
    children = [Child("web", (sys.executable, *GUNICORN, "skan_receiver.web:create_app()"))]
    if not no_worker:
        children.append(Child("worker", (sys.executable, "-m", "skan_receiver", "worker")))
    metrics = os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="skan-metrics-")
    try:
        status = Supervisor(children).run()
    finally:
        shutil.rmtree(metrics, ignore_errors=True)
    raise SystemExit(status)


def _prepare(settings: Settings) -> None:
    _ = settings.secret, settings.vault_keys  # made now, while there is a disk to make them on
    store = Store(settings.database)
    migrate.upgrade(store)
    token = ensure_admin(store, datetime.now(UTC))
    # Before the first postback is looked at; the worker goes on from here.
    for problem in import_folder(store, settings.schemas, datetime.now(UTC)).problems:
        click.echo(problem, err=True)
    store.close()
    url = settings.public_url.rstrip("/") or f"http://{settings.host}:{settings.port}"
    click.echo(f"skan-receiver listens on {url}", err=True)
    if token:
        click.echo(f"First start: choose the admin's password at {url}/login/{token}", err=True)
        click.echo("The link works once, for 24 hours.", err=True)


def _free(settings: Settings) -> None:
    """Say that the port is taken before gunicorn says so five times."""
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise ConfigurationError(
                f"PORT: {settings.host}:{settings.port} cannot be used ({error.strerror}); "
                "set PORT to another one"
            ) from None
