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
# # Campaigns: cost and return
#
# Costs come from a CSV or the API (`skan-receiver costs import`), names of campaigns from your networks (`skan-receiver campaigns import`). Accounts are billed in their own
# currencies and days; `currency` converts both sides by the rates of their days.

# %%
import altair as alt

from skan_receiver import reports

STORE = "../var/demo/skan.sqlite3"
store = reports.open(STORE)

# %% [markdown]
# ## By network

# %%
networks = store.frame("roas", by="ad_network_id", currency="USD")
networks

# %% [markdown]
# ## By campaign
#
# Apple sends four digits of a source identifier only where many share them. What arrived with two or three can be of several campaigns, and is then nobody's: the row without a name.
# So a campaign's return is a lower bound as long as that row is large.

# %%
campaigns = store.frame("roas", by="campaign_name", currency="USD")
campaigns

# %%
named = campaigns.dropna(subset=["campaign_name"])
alt.Chart(named).mark_bar().encode(
    alt.X("roas:Q", title="Return on ad spend, middle of the buckets", axis=alt.Axis(format="%")),
    alt.Y("campaign_name:N", title=None, sort="-x"),
).properties(width=640)

# %% [markdown]
# ## Where the digits went
#
# The tree of source identifiers: a shorter one is the end of longer ones.

# %%
sources = store.frame("sources")
tree = sources[sources["kind"] == "source identifier"]
tree[["ad_network_id", "identifier", "digits", "parent", "own", "postbacks", "campaign_name"]]

# %% [markdown]
# ## Over an install's life

# %%
store.frame("windows", by="app_id")

# %%
roots = tree[tree["depth"] == 0]
assert roots["postbacks"].sum() == tree["own"].sum()
assert (networks["cost"].dropna() >= 0).all()
assert abs(networks["cost"].sum() - campaigns["cost"].sum()) < 0.01
# Campaigns are counted by UTC day, networks by hour: only the period's edges differ.
assert abs(networks["installs"].sum() / campaigns["installs"].sum() - 1) < 0.1
store.close()
