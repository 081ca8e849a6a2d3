"""Every expression on a real Spark cluster: the same rows as DuckDB's."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from skan_receiver.config import Settings
from skan_receiver.reports.analytics import EXPRESSIONS, Analytics, connect, export
from skan_receiver.storage import Store
from tests.reports.analytics import spark
from tests.reports.analytics.engines import rows
from tests.reports.analytics.world import filled

pytestmark = [
    pytest.mark.spark,
    pytest.mark.timeout(600),
    pytest.mark.skipif(bool(spark.missing()), reason=spark.missing()),
    # PySpark 4.0 and pandas 3 disagree on what is old.
    pytest.mark.filterwarnings("ignore"),
]


@pytest.fixture(scope="module")
def engines(
    tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path
) -> Iterator[tuple[Analytics, Analytics]]:
    """An export read by Spark, and by DuckDB."""
    folder = tmp_path_factory.mktemp("spark")
    path = folder / "skan.sqlite3"
    path.write_bytes(sqlite_template.read_bytes())
    settings = Settings(database_url=f"sqlite:///{path}")
    store = Store(settings.database)
    filled(store)
    export(store, folder / "export", settings)
    store.close()
    duckdb = connect(export=folder / "export", settings=settings)
    with spark.cluster(folder) as master:
        options = {
            "spark.master": master,
            "spark.driver.host": spark.HOST,
            "spark.driver.bindAddress": spark.HOST,
            "spark.executor.memory": "512m",
            "spark.sql.shuffle.partitions": "2",
            "spark.ui.enabled": "false",
        }
        url = f"pyspark://?{urlencode(options)}"
        there = connect(url, export=folder / "export", settings=settings)
        yield there, duckdb
        there.close()
    duckdb.close()


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_spark_says_what_duckdb_says(engines: tuple[Analytics, Analytics], name: str) -> None:
    """The same rows in the same order, from the same files, by two workers."""
    there, duckdb = engines
    assert rows(there, name) == rows(duckdb, name)


def test_the_cluster_does_the_work(engines: tuple[Analytics, Analytics]) -> None:
    """Not a Spark within this process: both workers have executors."""
    there, _ = engines
    context = there.engine._session.sparkContext
    executors = context._jsc.sc().statusTracker().getExecutorInfos()

    assert context.master.startswith("spark://")
    assert len(executors) == 3  # the driver, and one on each worker
