"""Numbers where there are many: postbacks exported as Parquet, and named expressions over them.

    export        postbacks as Parquet, a file for each month and app
    write_csv     postbacks as one CSV file
    connect       an engine that reads the export: DuckDB, or whichever a URL names
    EXPRESSIONS   the named expressions, each with its title and what it is split by

It needs the extra [analytics]; nothing of it is loaded before somebody asks.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from skan_receiver.errors import ConfigurationError

if TYPE_CHECKING:
    from skan_receiver.reports.analytics.choice import Choice
    from skan_receiver.reports.analytics.engine import Analytics, connect
    from skan_receiver.reports.analytics.exporting import Exported, export
    from skan_receiver.reports.analytics.expressions import EXPRESSIONS
    from skan_receiver.reports.analytics.names import DIALECTS
    from skan_receiver.reports.analytics.sheet import write_csv
    from skan_receiver.reports.analytics.state import replaced

_HOMES = {
    "DIALECTS": "names",
    "EXPRESSIONS": "expressions",
    "Analytics": "engine",
    "Choice": "choice",
    "Exported": "exporting",
    "connect": "engine",
    "export": "exporting",
    "replaced": "state",
    "write_csv": "sheet",
}

__all__ = [
    "DIALECTS",
    "EXPRESSIONS",
    "Analytics",
    "Choice",
    "Exported",
    "connect",
    "export",
    "replaced",
    "write_csv",
]

_NEEDED = ("adbc_driver_manager", "adbc_driver_sqlite", "duckdb", "ibis", "numpy", "pyarrow")


def __getattr__(name: str) -> Any:
    """Loaded when first asked for: an install without these libraries does all the rest."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        found = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    except ModuleNotFoundError as missing:
        library = (missing.name or "").partition(".")[0]
        if library not in _NEEDED:
            raise
        raise ConfigurationError(
            f"analytics need {library}: pip install 'skan-receiver[analytics]'"
        ) from None
    globals()[name] = found  # also where a module of this package has the name
    return found
