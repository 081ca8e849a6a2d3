"""`worker`: settle, deliver, keep house."""

import os
import signal
import sys
import threading

import click

from skan_receiver.cli.context import open_store

NICE = 10


@click.command()
def worker() -> None:
    """Run the worker alone; stop it with SIGTERM or Ctrl-C."""
    from skan_receiver.web.logs import configure
    from skan_receiver.worker import run

    # What arrives goes first: it cannot be asked for again, and what is owed can wait.
    os.nice(NICE)
    settings, store = open_store()
    store.close()
    configure(settings)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    sys.exit(run(settings, stop))
