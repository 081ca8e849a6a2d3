"""Logs: a line of JSON an event, to standard error, ours and everybody's.

JSON escapes whatever could break a line or steer a terminal, so hostile text stays text. What
goes in are ids, names and outcomes, never a body.
"""

import json
import logging
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from secrets import token_hex
from typing import Any, TextIO, cast

import structlog
from structlog.types import Processor

from skan_receiver.config import Settings
from skan_receiver.errors import ConfigurationError

# What a proxy may have named a request; anything else gets a name of our own.
_REQUEST_ID = re.compile("[A-Za-z0-9._-]{1,64}")

# Made once: `json.dumps` with a `default` makes one for each line.
_ENCODER = json.JSONEncoder(default=repr)

_SHARED: tuple[Processor, ...] = (
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
)


class _Unfailing:
    """A stream that loses what it cannot write: its reader is gone, or its disk is full.

    A line less is no reason to end what was about to be logged.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()


def configure(settings: Settings) -> None:
    """Send the logs of this process to its standard error, from SKAN_LOG_LEVEL up."""
    level = _level(settings.log_level)
    stream = cast(TextIO, _Unfailing(sys.stderr))
    render = structlog.processors.JSONRenderer(serializer=_dumps)
    # Ours do not pass through the standard library: half the price, and there is one per postback.
    structlog.configure(
        processors=[*_SHARED, render],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=stream),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *_SHARED],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    logging.captureWarnings(True)
    # It narrates every look at the schema, and readiness looks often.
    logging.getLogger("alembic").setLevel(logging.WARNING)


def request_id(environ: Mapping[str, Any]) -> str:
    """What this request is called in the logs: as the proxy in front of us called it, if it did."""
    named = environ.get("HTTP_X_REQUEST_ID")
    return named if named and _REQUEST_ID.fullmatch(named) else token_hex(8)


def unhandled(exc_info: Any) -> None:
    """A fault of ours in a view, in place of Flask's line: that has the path, and the path may be
    a one-time link that is still good."""
    from flask import request  # not above: gunicorn's master needs no Flask

    structlog.get_logger("web").error(
        "unhandled",
        request=request_id(request.environ),
        method=request.method,
        endpoint=request.endpoint,
        exc_info=exc_info,
    )


def _dumps(event: object, **_: object) -> str:
    return _ENCODER.encode(event)


def _level(name: str) -> int:
    levels = logging.getLevelNamesMapping()
    if name.upper() not in levels:
        raise ConfigurationError(f"SKAN_LOG_LEVEL: {name!r} is none of {', '.join(levels)}")
    return levels[name.upper()]
