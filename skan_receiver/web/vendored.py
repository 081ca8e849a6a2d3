"""Front-end files of others, kept with their versions, hashes and licences."""

import json
from pathlib import Path

from flask import url_for

VENDOR = Path(__file__).parent / "static" / "vendor"

_ENTRIES = json.loads((VENDOR / "vendor.json").read_text())


def files_of(package: str) -> tuple[str, ...]:
    """The names of a package's files, in the order in which they need each other."""
    return tuple(entry["file"] for entry in _ENTRIES if entry["name"].startswith(package))


LIBRARIES = files_of("vega")  # what draws charts
HTMX = files_of("htmx.org")[0]
TABLES = files_of("tabulator")  # a script and its style


def grid_files() -> str:
    """For `data-grid` of a table that can be sorted and filtered in the browser."""
    return " ".join(url_for("assets.static", filename=f"vendor/{name}") for name in TABLES)
