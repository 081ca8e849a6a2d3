"""Commands as a shell runs them: processes, exit statuses, what they print."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from skan_receiver.cli import main

Run = Callable[..., "Done"]


# What makes processes of its own, or becomes another one: it begins in one of its own too.
APART = ("demo", "doctor", "estimate", "ingest", "serve", "simulate", "worker")


class Done:
    """A command that has ended."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture
def run(tmp_path: Path, sqlite_url: str) -> Run:
    """Run `skan-receiver …` in a folder of its own, with a migrated SQLite.

    Most run in this process: to start one for each would cost the suite minutes. What a shell
    adds (`python -m`, its streams and statuses) is looked at by those that run apart.
    """

    def run(*arguments: str, stdin: str = "", apart: bool = False, **environment: str) -> Done:
        mine = {"HOME": str(tmp_path), "DATABASE_URL": sqlite_url, **environment}
        # A file that is given as "-" has the name of a stream of the process.
        begins = arguments[:1] in [(), *((name,) for name in APART)] or "-" in arguments
        in_its_own = apart or (begins and "--help" not in arguments)
        return (_apart if in_its_own else _here)(arguments, stdin, tmp_path, mine)

    return run


def _apart(
    arguments: Sequence[str], stdin: str, folder: Path, environment: Mapping[str, str]
) -> Done:
    process = subprocess.run(
        [sys.executable, "-W", "error", "-m", "skan_receiver", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        cwd=folder,
        env={"PATH": os.environ["PATH"], **environment},
        timeout=60,
        check=False,
    )
    return Done(process.returncode, process.stdout, process.stderr)


def _here(
    arguments: Sequence[str], stdin: str, folder: Path, environment: Mapping[str, str]
) -> Done:
    of_ours = {name: None for name in os.environ if name.startswith("SKAN_")}
    before, argv = Path.cwd(), sys.argv
    status: Any = 0
    with CliRunner().isolation(stdin, {**of_ours, **environment}) as (out, err, _):
        os.chdir(folder)
        sys.argv = ["skan-receiver", *arguments]
        try:
            main()
        except SystemExit as ended:
            status = ended.code or 0
        finally:
            os.chdir(before)
            sys.argv = argv
        sys.stdout.flush()
        sys.stderr.flush()
        return Done(status, out.getvalue().decode(), err.getvalue().decode())
