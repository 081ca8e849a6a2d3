"""The supervisor and what it starts, in a container and after its death."""

import shutil
import subprocess
import sys

import pytest

UNSHARE = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child"]
PROGRAM = """
import sys
from skan_receiver.cli.supervisor import Child

child = Child("web", [sys.executable, "-c", "import os; print(os.getppid())"])
child.start()
sys.exit(child.process.wait())
"""


def in_container() -> bool:
    """Whether this machine lets us be process 1 of a namespace."""
    return (
        shutil.which("unshare") is not None
        and not subprocess.run([*UNSHARE, "true"], check=False, capture_output=True).returncode
    )


@pytest.mark.skipif(sys.platform != "linux", reason="containers are Linux")
def test_process_1_of_a_container_has_children() -> None:
    """A parent whose number is 1 is no sign that the supervisor has died."""
    if not in_container():
        pytest.skip("no namespaces for us here")
    ran = subprocess.run(
        [*UNSHARE, sys.executable, "-c", PROGRAM], check=False, capture_output=True, text=True
    )
    assert (ran.returncode, ran.stdout.splitlines()[-1:]) == (0, ["1"])
