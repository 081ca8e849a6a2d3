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
# # Nulls and intervals
#
# Apple withholds values where few users share an ad. To drop these users says they paid like the others of *all* campaigns together; to call them 0 says they paid nothing.
# The estimate says what the numbers can bear: `docs/estimation.md` has the model, and how often its intervals were right.
#
# The worker computes it every hour; by hand: `skan-receiver estimate`.

# %%
import pandas as pd

from skan_receiver import reports

STORE = "../var/demo/skan.sqlite3"
store = reports.open(STORE)

# %% [markdown]
# ## How much is withheld

# %%
networks = store.frame("results", by=["ad_network_id", "window"])
networks[["ad_network_id", "window", "postbacks", "with_value", "nulls", "null_share"]]

# %% [markdown]
# ## Revenue, with its interval
#
# `revenue_min` to `revenue_max` are the edges of the buckets: no statement about nulls at all. `low` to `high` holds the true revenue of the installs that arrived nine times out of ten.

# %%
revenue = store.frame("revenue", by="app_id")
revenue[
    [
        "app_id",
        "currency",
        "postbacks",
        "nulls",
        "revenue_min",
        "revenue_max",
        "low",
        "estimate",
        "high",
    ]
]

# %%
store.chart("revenue", by="day", app_id=int(revenue["app_id"].iloc[0]))

# %% [markdown]
# ## Sums
#
# Draws of all groups belong together, so the interval of a sum is not the sum of intervals: errors of different days partly cancel.

# %%
one = int(revenue["app_id"].iloc[0])
days = store.frame("revenue", by="day", app_id=one)
total = store.frame("revenue", by="app_id", app_id=one).iloc[0]
widths = pd.Series(
    {
        "the days' widths together": (days["high"] - days["low"]).sum(),
        "the total's width": total["high"] - total["low"],
    }
)
widths.round(2)

# %% [markdown]
# ## Installs by day
#
# A postback arrives days after its install, at random. `usual` moves each back by the same time; `estimate` undoes the delays, and knows that the last days' postbacks are still on their way.

# %%
installs = store.frame("installs", by="day")
store.chart("installs", by="day")

# %%
# Today is not over: nothing is estimated of it.
installs = installs.dropna(subset=["estimate"])
last = installs.tail(3)
assert (installs["low"] <= installs["estimate"]).all()
assert (installs["estimate"] <= installs["high"]).all()
assert (last["high"] - last["low"]).mean() > (installs["high"] - installs["low"]).median()
assert widths["the total's width"] < widths["the days' widths together"]
assert abs(days["estimate"].sum() - total["estimate"]) < 0.01 * total["estimate"]
store.close()
