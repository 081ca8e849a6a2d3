# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Working at scale
#
# `skan-receiver export` writes postbacks as Parquet, a file for each month and app; again, only what changed. Named expressions run over it: on DuckDB here, and by one URL
# (`SKAN_ANALYTICS_URL`) on PostgreSQL, ClickHouse, Spark, BigQuery, Snowflake or Trino.
#
# ```
# skan-receiver export var/demo/analytics
# ```

# %%
from pathlib import Path

from skan_receiver import reports

STORE = "../var/demo/skan.sqlite3"
EXPORT = "../var/demo/analytics"
store = reports.open(STORE)

# %%
files = sorted(Path(EXPORT).rglob("*.parquet"))
[str(file.relative_to(EXPORT)) for file in files]

# %% [markdown]
# ## The expressions
#
# Each is one text in Ibis. Here they are, and what one of them becomes on another engine:

# %%
engine = store.analytics(EXPORT)
sorted(reports.analytics.EXPRESSIONS)

# %%
import ibis

print(ibis.to_sql(engine.expression("nulls", by=["ad_network_id"]), dialect="clickhouse"))

# %% [markdown]
# ## Computed
#
# Nothing but the rows of the answer comes into this process.

# %%
volumes = engine.frame("volumes", by=["day", "verdict"])
nulls = engine.frame("nulls", by=["ad_network_id"])
nulls

# %% [markdown]
# Meanings are joined as a small table, with the weights of the versions that can have been in force:

# %%
engine.frame("revenue", by=["app_id"])

# %% [markdown]
# The counts that reports read, and the postbacks that the export holds, say the same:

# %%
counted = store.frame("volumes", by="verdict", start="2000-01-01")
exported = volumes.groupby("verdict")["postbacks"].sum()
assert exported.to_dict() == dict(zip(counted["verdict"], counted["postbacks"], strict=True))
assert len(files) > 1
store.close()
