"""Who loads the heavy libraries, and what somebody without them is told."""

import subprocess
import sys

import pytest

HEAVY = ("pandas", "ibis", "duckdb", "altair", "pyarrow", "adbc_driver_sqlite")

WEB = f"""
import sys
from skan_receiver.config import Settings
from skan_receiver.web import create_app
import skan_receiver.worker, skan_receiver.reports.analytics
create_app(Settings(var="/nonexistent", database_url="sqlite:///:memory:"))
loaded = [name for name in {HEAVY!r} if name in sys.modules]
assert not loaded, loaded
"""

WITHOUT = """
import sys
sys.modules[{missing!r}] = None
from skan_receiver.cli import main
sys.argv = ["skan-receiver", *{arguments!r}]
main()
"""


def run(source: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", source], capture_output=True, text=True)


def test_no_web_worker_loads_what_analytics_need() -> None:
    """Two seconds and 200 MB that no postback needs."""
    done = run(WEB)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("missing", "arguments"),
    [("pyarrow", ["export", "out"]), ("ibis", ["analytics", "volumes"])],
)
def test_a_base_install_says_what_is_missing(missing: str, arguments: list[str]) -> None:
    """One line with the remedy, not a traceback."""
    done = run(WITHOUT.format(missing=missing, arguments=arguments))

    assert done.returncode == 2
    assert done.stderr == (
        f"skan-receiver: analytics need {missing}: pip install 'skan-receiver[analytics]'\n"
    )
