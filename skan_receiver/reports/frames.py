"""Reports as pandas frames and Altair charts: the edge where notebooks begin.

Loaded by `skan_receiver.reports.open` alone: no web worker holds pandas.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from skan_receiver.config import load
from skan_receiver.errors import ConfigurationError
from skan_receiver.reports import REPORTS, Filters, Question, Report, Unanswerable, Written
from skan_receiver.storage import Store, migrate

if TYPE_CHECKING:
    import altair

    from skan_receiver.reports.analytics import Analytics

WIDTH = 640  # pixels; a cell of a notebook has no width of its own


class Reports:
    """The reports of a store. Every report is counted where it is; its rows alone come here."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def names(self) -> tuple[str, ...]:
        """The reports there are."""
        return tuple(REPORTS)

    def frame(self, name: str, **asked: Any) -> pd.DataFrame:
        """A report's rows, a column for each dimension and measure.

        `start`, `end`: a day ("2026-11-01", or a date) or an hour, the last 30 days by default;
        `tz`; `by`: dimensions; `basis`: "arrival" or "install"; `currency`; `statement`; and
        filters: `app_id`, `ad_network_id`, `framework`, `version`, `window`, `verdict`, `counted`.

        Texts are categorical, whole numbers stay whole where some are absent. Raises Unanswerable
        with the remedy where the report cannot answer.
        """
        report, question = _asked(name, asked)
        return _frame(self._rows(report, question), report.columns(question.by))

    def chart(self, name: str, **asked: Any) -> "altair.TopLevelMixin":
        """The same as the chart that pages show; an Altair chart, to change at will."""
        import altair

        report, question = _asked(name, asked)
        spec = report.chart(self._rows(report, question), question.by)
        return altair.Chart.from_dict(spec | {"width": WIDTH, "title": report.title})

    def analytics(self, export: str | Path, url: str | None = None) -> "Analytics":
        """Named expressions over an export of this store (`skan-receiver export`), computed by
        DuckDB, or by the engine of `url`. Raises ConfigurationError that says what is missing."""
        from skan_receiver.reports.analytics import connect

        settings = load(database_url=self._store.url.render_as_string(hide_password=False))
        return connect(url, export=export, settings=settings)

    def _rows(self, report: Report, question: Question) -> list[dict[str, Any]]:
        with self._store.read() as connection:
            return report.table(connection, question)

    def close(self) -> None:
        """Give the database back."""
        self._store.close()

    def __enter__(self) -> "Reports":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<reports of {self._store.url.render_as_string()}: {', '.join(REPORTS)}>"


def reports_of(where: str | Path) -> Reports:
    """The reports of a database, by its URL or SQLite's file.

    Raises ConfigurationError where there is none, or one of another release.
    """
    store = Store(_url(where))
    if migrate.current(store) != migrate.head():
        store.close()
        raise ConfigurationError(
            f"{where} is not at this release's schema; run: skan-receiver db upgrade"
        )
    _draw_offline()
    return Reports(store)


def _draw_offline() -> None:
    """Have notebooks draw charts themselves: Altair's usual way loads scripts from a stranger."""
    with suppress(ModuleNotFoundError):
        import altair

        altair.renderers.register("offline", _offline)
        altair.renderers.enable("offline")


def _offline(spec: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A chart as notebooks know it; Altair's own name for the sixth version is none of a notebook's
    format, which wants `+json` for what is no text."""
    kinds = (f"application/vnd.vegalite.v{version}+json" for version in (5, 6))
    return {**dict.fromkeys(kinds, spec), "text/plain": "<a chart>"}


def _url(where: str | Path) -> str:
    text = str(where)
    if "://" in text and not text.startswith("sqlite:///"):
        return text
    # SQLite would make a file that is not there.
    path = Path(text.removeprefix("sqlite:///")).expanduser()
    if not path.is_file():
        raise ConfigurationError(f"there is no database {path}; name its file, or a URL")
    return f"sqlite:///{path.absolute()}"


def _asked(name: str, asked: Mapping[str, Any]) -> tuple[Report, Question]:
    if (report := REPORTS.get(name)) is None:
        raise Unanswerable("name", f"there is no report {name!r}, but: {', '.join(REPORTS)}")
    return report, report.asked(_written(dict(asked)).read(datetime.now(UTC)))


def _written(asked: dict[str, Any]) -> Written:
    filters = {key: asked.pop(key) for key in Filters.__slots__ if key in asked}
    by = asked.pop("by", ())
    written = {
        "start": _text(asked.pop("start", None)),
        "end": _text(asked.pop("end", None)),
        "zone": asked.pop("tz", None),
        **{key: asked.pop(key, None) for key in ("basis", "currency", "statement")},
    }
    if asked:
        known = ("start", "end", "tz", "by", "basis", "currency", "statement", *Filters.__slots__)
        raise Unanswerable(min(asked), f"is none of: {', '.join(known)}")
    return Written(by=(by,) if isinstance(by, str) else tuple(by), filters=Filters(**filters),
                   **written)  # fmt: skip


def _text(moment: date | str | None) -> str | None:
    return moment.isoformat() if isinstance(moment, date) else moment


def _frame(rows: Sequence[Mapping[str, Any]], columns: Iterable[str]) -> pd.DataFrame:
    return pd.DataFrame({name: _column([row[name] for row in rows]) for name in columns})


def _column(values: list[Any]) -> "pd.Series[Any]":
    found = next((value for value in values if value is not None), None)
    if isinstance(found, str):
        return pd.Series(values, dtype="category")
    if isinstance(found, datetime):
        return pd.Series(pd.to_datetime(values, utc=True))
    if isinstance(found, date):
        return pd.Series(pd.to_datetime(values))
    if isinstance(found, bool):
        return pd.Series(values, dtype="boolean")
    if isinstance(found, int) and all(value is None or isinstance(value, int) for value in values):
        return pd.Series(values, dtype="Int64")
    # Where nothing is known of a column, it has nothing in it but NaN.
    is_number = found is None or isinstance(found, int | float)
    return pd.Series(values, dtype="float64" if is_number else "object")
