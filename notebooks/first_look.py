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
# # First look
#
# What has arrived, what counts, and what is missing. Point `STORE` at your own database, by its URL or SQLite's file;
# the demo's is made by `make demo`. Nothing is changed: every report is counted where it is, and only its rows come here.

# %%
from skan_receiver import reports

STORE = "../var/demo/skan.sqlite3"
store = reports.open(STORE)
store.names

# %% [markdown]
# ## What came
#
# Postbacks of the last 30 days by day and verdict. A verdict other than `valid` never counts (in the demo's sandbox, `development` does).

# %%
volumes = store.frame("volumes", by=["day", "verdict"])
volumes.groupby("verdict", observed=True)[["postbacks", "counted", "installs"]].sum()

# %%
store.chart("volumes", by=["day", "verdict"])

# %% [markdown]
# Days are UTC unless `tz` says otherwise. A day elsewhere has other hours, and the sum stays the same.

# %%
whole = {"start": volumes["day"].min().date(), "end": volumes["day"].max().date()}
berlin = store.frame("volumes", by="day", tz="Europe/Berlin", **whole)
berlin.set_index("day")["postbacks"].describe()

# %% [markdown]
# ## Who brought it
#
# `installs` are winning downloads of the first window. Redownloads, re-engagements and the windows 1 and 2 are columns of their own and never installs.

# %%
networks = store.frame("results", by=["app_id", "ad_network_id"])
networks[
    [
        "app_id",
        "ad_network_id",
        "postbacks",
        "installs",
        "redownloads",
        "reengagements",
        "null_share",
    ]
]

# %% [markdown]
# ## What does not add up
#
# The same postback with other unsigned values is a conflict. None of these counts; each is shown.

# %%
conflicts = store.frame("conflicts", by="kind")
conflicts

# %% [markdown]
# What must hold, whatever the data:

# %%
assert volumes["counted"].sum() <= volumes["postbacks"].sum()
assert volumes["installs"].sum() <= volumes["counted"].sum()
assert networks["installs"].sum() == volumes["installs"].sum()
assert (networks["installs"] + networks["redownloads"] <= networks["postbacks"]).all()
store.close()
