"""How gunicorn runs us: `gunicorn -c python:skan_receiver.web.gunicorn_conf wsgi:app`."""

import gc
import logging
import os
import shutil
import socket
import struct
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

from gunicorn import glogging

from skan_receiver.config import load
from skan_receiver.web import logs

_settings = load()
_host = f"[{_settings.host}]" if ":" in _settings.host else _settings.host

bind = f"{_host}:{_settings.port}"
workers = _settings.web_concurrency

# A thread waits while its request's commit is written, together with everybody else's: the more
# wait together, the fewer commits there are.
worker_class = "gthread"
threads = _settings.threads

# Longer than the 60 s after which nginx and most load balancers drop an idle connection: who
# drops it must be the side that sends, or a postback is lost on the way to a closed socket.
keepalive = 65

# Less than the 30 s that `serve`, systemd and Kubernetes wait before they kill.
graceful_timeout = 25

# A GET of a forwarder carries a postback in its address; gunicorn allows no more than this.
limit_request_line = 8190

# Whose X-Forwarded-Proto is believed is said by SKAN_TRUSTED_PROXIES, in one place.
forwarded_allow_ips = ""

# A heartbeat must not wait for a disk.
if Path("/dev/shm").is_dir():  # noqa: S108  # memory, and gunicorn makes a private file there
    worker_tmp_dir = "/dev/shm"  # noqa: S108

# It would be a socket in the home directory, which a service need not have.
control_socket_disable = True

# We have a line for each postback, with its id.
accesslog = None


# So begin gunicorn's events about a request that it could not read, or not answer. They quote it:
# the target with a token or an address in it, a header, the address that it came from.
_QUOTING = ("Invalid request from", "Error handling request", "Ignored premature client")


def unquoted(record: logging.LogRecord) -> bool:
    """Let every record pass, of these only the kind of fault, and where in the code it was."""
    if str(record.msg).startswith(_QUOTING):
        kind, _, place = sys.exc_info()
        record.msg, record.args = "request failed: %s", (kind.__name__ if kind else "unknown",)
        if record.exc_info:  # it ends with the fault's own words
            record.exc_info, record.stack_info = None, "".join(traceback.format_tb(place))
    return True


class Logger(glogging.Logger):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's own events, as everybody's: through the root logger, and without a request."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        logs.configure(_settings)
        self.error_log.handlers.clear()
        self.error_log.propagate = True
        self.error_log.addFilter(unquoted)


logger_class = Logger

# A device that vanishes in the middle of a request must not keep a thread. The sockets that are
# accepted inherit this from the one that listens; 10 s between two reads, or two writes.
_PATIENCE = struct.pack("ll", 10, 0)

# Each process writes its numbers to a file of its own; `serve` has made a directory already.
_made = "" if "PROMETHEUS_MULTIPROC_DIR" in os.environ else tempfile.mkdtemp(prefix="skan-metrics-")
if _made:
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = _made


def when_ready(server: Any) -> None:
    for listener in server.LISTENERS:
        listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _PATIENCE)
        listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _PATIENCE)


def post_worker_init(_worker: Any) -> None:
    # What is loaded by now stays: looked through for garbage again and again, it makes the
    # slowest answers a fifth slower.
    gc.collect()
    gc.freeze()


def child_exit(_server: Any, worker: Any) -> None:
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(_server: Any) -> None:
    if _made:
        shutil.rmtree(_made, ignore_errors=True)
