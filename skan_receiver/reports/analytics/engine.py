"""Who computes: DuckDB over the export, or the engine a URL names."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import ibis

from skan_receiver.config import POSTGRES, Settings, load
from skan_receiver.errors import ConfigurationError
from skan_receiver.reports.analytics.choice import Choice
from skan_receiver.reports.analytics.expressions import EXPRESSIONS, Tables
from skan_receiver.reports.analytics.meanings import Meanings, meanings_of
from skan_receiver.reports.analytics.postbacks import DIMENSIONS, dimension, uniform
from skan_receiver.storage import Store
from skan_receiver.storage.schemas import Version, history

if TYPE_CHECKING:
    import pandas as pd

# What an engine calls the postbacks that somebody loaded into it.
TABLE = "postbacks"

# Each engine's words for: days are UTC days.
UTC = {
    "duckdb": "SET TimeZone = 'UTC'",
    "snowflake": "ALTER SESSION SET TIMEZONE = 'UTC'",
    "trino": "SET TIME ZONE 'UTC'",
    "clickhouse": "SET session_timezone = 'UTC'",
}


@dataclass(frozen=True)
class Analytics:
    """Postbacks in an engine, and what their values mean."""

    engine: ibis.BaseBackend
    postbacks: ibis.Table
    versions: Sequence[Version]

    @cached_property
    def meanings(self) -> Meanings:
        """The schemas' versions as tables to join."""
        return meanings_of(self.versions)

    def close(self) -> None:
        """Give the engine's connections back."""
        self.engine.disconnect()

    def expression(
        self,
        name: str,
        *,
        by: Iterable[str] | None = None,
        app: int | None = None,
        network: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> ibis.Table:
        """The named expression, not yet computed: split by `by`, over what arrived between
        `since` and `until`.

        Raises ConfigurationError where there is no such expression or dimension.
        """
        if name not in EXPRESSIONS:
            raise ConfigurationError(f"{name!r} is none of: {', '.join(EXPRESSIONS)}")
        chosen = EXPRESSIONS[name]
        split = chosen.usually if by is None else tuple(dict.fromkeys(by))
        for one in split:
            if one not in DIMENSIONS:
                raise ConfigurationError(f"by: {one!r} is none of: {', '.join(DIMENSIONS)}")
        wanted = self._chosen(app=app, network=network, since=since, until=until)
        return chosen.over(Tables(wanted, self.meanings), split)

    def frame(self, name: str, **chosen: Any) -> "pd.DataFrame":
        """The rows of `expression`, computed."""
        # By way of Arrow: Ibis' own way asks pandas for an option that pandas has given up.
        found: pd.DataFrame = self.engine.to_pyarrow(self.expression(name, **chosen)).to_pandas()
        return found

    def _chosen(
        self,
        *,
        app: int | None,
        network: str | None,
        since: datetime | None,
        until: datetime | None,
    ) -> ibis.Table:
        of = self.postbacks
        if app is not None:
            of = of.filter(of.app_id == app)
        if network is not None:
            of = of.filter(dimension(of, "ad_network_id") == network.lower())
        if since is not None:
            of = of.filter(of.received_at >= ibis.literal(since, "timestamp('UTC')"))
        if until is not None:
            of = of.filter(of.received_at < ibis.literal(until, "timestamp('UTC')"))
        return of


def connect(
    url: str | None = None,
    *,
    export: str | Path | None = None,
    settings: Settings | None = None,
) -> Analytics:
    """Connect to the engine of `url` (SKAN_ANALYTICS_URL where none is given; DuckDB).

    DuckDB and Spark read `export` (SKAN_ANALYTICS_EXPORT), a path that is theirs to read.
    PostgreSQL reads the tables of a store of ours. Others read a table `postbacks` into which
    somebody loaded an export. Schemas come from the store of DATABASE_URL.

    Raises ConfigurationError that says what is missing.
    """
    settings = settings or load()
    url = url or settings.analytics_url or "duckdb://"
    scheme = urlsplit(url).scheme
    if scheme in POSTGRES:
        return _postgres(url, settings)
    store = Store(settings.database)
    try:
        versions = _versions(store)
    finally:
        store.close()
    engine = _opened(url)
    if (said := UTC.get(engine.name)) is not None:
        engine.raw_sql(said)
    folder = str(export or settings.analytics_export)
    return Analytics(engine, uniform(_table(engine, folder)), versions)


def _opened(url: str) -> ibis.BaseBackend:
    scheme = urlsplit(url).scheme
    try:
        return _spark(url) if scheme == "pyspark" else ibis.connect(url)
    except ImportError:
        extra = "spark" if scheme == "pyspark" else scheme
        needed = f"{scheme}:// needs more: pip install 'skan-receiver[{extra}]'"
        raise ConfigurationError(needed) from None
    except ValueError:
        raise ConfigurationError(
            f"{scheme or url!r} is no engine; write a URL like duckdb://, or trino://…"
        ) from None


def _spark(url: str) -> ibis.BaseBackend:
    """A session with the URL's settings from its start: Ibis sets them later, which is too late
    for the most of them."""
    from pyspark.sql import SparkSession

    building = SparkSession.builder.appName("skan-receiver")
    for name, value in parse_qsl(urlsplit(url).query):
        building = building.config(name, value)
    session = building.config("spark.sql.session.timeZone", "UTC").getOrCreate()
    return ibis.pyspark.connect(session)


def _table(engine: ibis.BaseBackend, folder: str) -> ibis.Table:
    if engine.name == "pyspark":
        return engine.read_parquet(folder)
    if engine.name != "duckdb":
        return engine.table(TABLE)
    if "://" not in folder and not any(Path(folder).glob("month=*/app_id=*/*.parquet")):
        raise ConfigurationError(
            f"there is no export in {folder}; run: skan-receiver export {folder}"
        )
    files = f"{folder}/month=*/app_id=*/*.parquet"
    return engine.read_parquet(files, hive_partitioning=True)


def _postgres(url: str, settings: Settings) -> Analytics:
    """A store of ours: its rows as an export would have them."""
    import psycopg
    from sqlalchemy.dialects import postgresql

    plain = url.replace("+psycopg", "", 1)
    engine = ibis.postgres.from_connection(psycopg.connect(plain, options="-c timezone=UTC"))
    rows = Choice().rows(settings).compile(
        dialect=postgresql.dialect(paramstyle="named"),  # type: ignore[no-untyped-call]
        compile_kwargs={"literal_binds": True}
    )  # fmt: skip
    store = Store(load(database_url=url).database)
    try:
        versions = _versions(store)
    finally:
        store.close()
    columns = {column.name: ibis.dtype(column.plain) for column in Choice().columns}
    return Analytics(engine, uniform(engine.sql(str(rows), schema=columns)), versions)


def _versions(store: Store) -> Sequence[Version]:
    with store.read() as connection:
        return history(connection, None)
