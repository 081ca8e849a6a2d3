"""Every notebook runs on the demo, and says what its text says it does."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import jupytext
import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "notebooks").glob("*.py"))
PAIRS = [(source, source.with_suffix(".ipynb")) for source in SOURCES]

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like the project's, with the demo in it: estimated, and exported."""
    folder = tmp_path_factory.mktemp("demo")
    for name in ("notebooks", "scenarios", "conversion_schemas"):
        shutil.copytree(ROOT / name, folder / name)
    database = folder / "var" / "demo" / "skan.sqlite3"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "SKAN_SANDBOX": "1",
        "DATABASE_URL": f"sqlite:///{database}",
    }
    for command in (
        ("demo", "--no-serve"),
        ("estimate",),
        ("export", str(folder / "var" / "demo" / "analytics")),
    ):
        mine = environment if command[0] != "demo" else environment | {"DATABASE_URL": ""}
        whole = [sys.executable, "-m", "skan_receiver", *command]
        subprocess.run(whole, cwd=folder, env=mine, check=True, capture_output=True, timeout=200)
    return folder


@pytest.mark.parametrize(("source", "paired"), PAIRS, ids=[source.stem for source in SOURCES])
def test_a_notebook_is_what_its_source_says(source: Path, paired: Path) -> None:
    """`make notebooks` makes the .ipynb from the .py: the latter is what one reads and reviews."""
    written = nbformat.read(paired, 4)
    said = jupytext.read(source)
    assert [(c.cell_type, c.source) for c in written.cells] == [
        (c.cell_type, c.source) for c in said.cells
    ]
    assert not any(cell.get("outputs") for cell in written.cells)


@pytest.mark.slow
@pytest.mark.parametrize("name", [source.stem for source in SOURCES])
def test_a_notebook_runs_and_its_assertions_hold(demo: Path, name: str) -> None:
    """From the first cell to the last, on data that anybody can make."""
    notebook = jupytext.read(demo / "notebooks" / f"{name}.py")
    client = NotebookClient(
        notebook,
        timeout=120,
        kernel_name="python3",
        resources={"metadata": {"path": str(demo / "notebooks")}},
    )
    client.execute()
    pictures = [
        output
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if any("vegalite" in kind for kind in output.get("data", {}))
    ]
    assert pictures or name == "at_scale"


def test_notebooks_use_what_is_public() -> None:
    """`skan_receiver` and `skan_receiver.reports`, and nothing deeper."""
    for source in SOURCES:
        deeper = re.findall(r"(?:from|import) skan_receiver\.[\w.]+", source.read_text())
        assert deeper == [], source
