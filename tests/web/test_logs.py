"""Logs: one line of JSON an event, whoever wrote what."""

import json
import subprocess
import sys

import pytest

from skan_receiver.config import Settings
from skan_receiver.errors import ConfigurationError
from skan_receiver.web import logs

PROGRAM = """
import logging, sys, structlog
from skan_receiver.config import Settings
from skan_receiver.web import logs

logs.configure(Settings(log_level=sys.argv[1]))
structlog.get_logger("ours").info("hostile", text=sys.argv[2])
logging.getLogger("theirs").info("hostile %s", sys.argv[2])
logging.getLogger("theirs").warning("warned")
try:
    raise ValueError(sys.argv[2])
except ValueError:
    structlog.get_logger("ours").exception("failed")
"""
HOSTILE = '"}\n{"event": "forged"}\r\n\x1b[2J\x9b\u2028\u202e'


UNREAD = """
import logging, os, sys, structlog
from skan_receiver.config import Settings
from skan_receiver.web import logs

logs.configure(Settings())
reader, writer = os.pipe()
os.dup2(writer, 2)
os.close(reader)
for _ in range(1_000):
    structlog.get_logger("ours").warning("unread")
    logging.getLogger("theirs").warning("unread")
os.write(1, b"went on")
"""


def lines(level: str) -> list[dict[str, str]]:
    """What a process of its own says to its standard error."""
    command = [sys.executable, "-c", PROGRAM, level, HOSTILE]
    said = subprocess.run(command, check=True, capture_output=True)
    assert said.stdout == b""
    assert said.stderr.isascii()
    assert b"\x1b" not in said.stderr
    return [json.loads(line) for line in said.stderr.splitlines()]


def test_ours_and_everybody_elses_are_lines_of_json() -> None:
    """Text from strangers is text in a member, whatever is in it."""
    ours, theirs, warned, failed = lines("INFO")
    assert (ours["event"], ours["text"], ours["level"]) == ("hostile", HOSTILE, "info")
    assert (theirs["event"], theirs["logger"]) == (f"hostile {HOSTILE}", "theirs")
    assert warned["level"] == "warning"
    assert "ValueError" in failed["exception"]
    assert all(line["timestamp"].endswith("Z") for line in (ours, theirs, warned, failed))


def test_the_level_is_a_setting_for_both() -> None:
    """A line for each postback is more than some want."""
    assert [line["event"] for line in lines("warning")] == ["warned", "failed"]


def test_an_unknown_level_is_named() -> None:
    """SKAN_LOG_LEVEL=LOUD is a mistake."""
    with pytest.raises(ConfigurationError, match="SKAN_LOG_LEVEL: 'LOUD'"):
        logs.configure(Settings(log_level="LOUD"))


@pytest.mark.parametrize(
    ("named", "kept"),
    [("abc-123.X_y", True), ("a" * 64, True), ("a" * 65, False), ("a b", False), ("a\n", False)],
)
def test_a_proxys_name_for_a_request_is_kept_if_it_is_one(named: str, kept: bool) -> None:
    """Lines of ours and of the proxy can be laid side by side."""
    name = logs.request_id({"HTTP_X_REQUEST_ID": named})
    assert (name == named) is kept
    assert name != logs.request_id({})


def test_logs_that_nobody_reads_any_more_stop_nobody() -> None:
    """The container's log reader is gone, or the disk full: lines are lost, and no work."""
    said = subprocess.run([sys.executable, "-c", UNREAD], check=False, capture_output=True)
    assert said.stdout == b"went on"
