"""A real Spark cluster on this machine: a master and two workers, each a process of its own."""

import importlib.util
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from shutil import which

HOST = "127.0.0.1"
DEPLOY = "org.apache.spark.deploy"


def missing() -> str:
    """What keeps a cluster from being started here; empty where nothing does."""
    if importlib.util.find_spec("pyspark") is None:
        return "the extra [spark] is not installed"
    return "" if which("java") else "there is no Java; Debian has openjdk-17-jre-headless"


@contextmanager
def cluster(folder: Path) -> Iterator[str]:
    """The master's URL; its processes end with the block."""
    import pyspark

    home = Path(pyspark.__file__).parent
    port, page = _free(), _free()
    said = {"SPARK_HOME": str(home), "SPARK_LOCAL_IP": HOST, "SPARK_NO_DAEMONIZE": "1"}
    environment = os.environ | said | {"SPARK_WORKER_DIR": str(folder / "work")}
    run = str(home / "bin" / "spark-class")
    master = f"{DEPLOY}.master.Master --host {HOST} --port {port} --webui-port {page}".split()
    url = f"spark://{HOST}:{port}"
    worker = [f"{DEPLOY}.worker.Worker", "--host", HOST, "--cores", "1", "--memory", "1g", url]
    with ExitStack() as stack:
        for command in (master, worker, worker):
            process = stack.enter_context(
                subprocess.Popen(
                    [run, *command],
                    env=environment,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            )
            stack.callback(process.terminate)
            if command is master:
                _answers(port)
        yield url


def _free() -> int:
    with socket.socket() as found:
        found.bind((HOST, 0))
        port: int = found.getsockname()[1]
        return port


def _answers(port: int) -> None:
    for _ in range(600):
        try:
            return socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            time.sleep(0.2)
    raise TimeoutError("Spark's master did not start within two minutes")
