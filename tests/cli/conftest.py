"""Commands as a shell runs them: processes, exit statuses, what they print."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., "Done"]


class Done:
    """A command that has ended."""

    def __init__(self, process: subprocess.CompletedProcess[str]) -> None:
        self.status, self.out, self.err = process.returncode, process.stdout, process.stderr

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture
def run(tmp_path: Path, sqlite_url: str) -> Run:
    """Run `skan-receiver …` in a folder of its own, with a migrated SQLite."""

    def run(*arguments: str, stdin: str = "", **environment: str) -> Done:
        return Done(
            subprocess.run(
                [sys.executable, "-W", "error", "-m", "skan_receiver", *arguments],
                input=stdin,
                capture_output=True,
                text=True,
                cwd=tmp_path,
                env={
                    "PATH": os.environ["PATH"],
                    "HOME": str(tmp_path),
                    "DATABASE_URL": sqlite_url,
                    **environment,
                },
                timeout=60,
                check=False,
            )
        )

    return run
