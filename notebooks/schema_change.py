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
# # A schema change
#
# A postback carries no schema. Which version set its value follows from when it was set, and that is an interval: days in which both versions are possible. There every number carries weights,
# and `certain` says how many postbacks can only have been set by one version.
#
# The demo's shop changed its schema in the middle: large baskets began at 20, and then at 50.

# %%
import altair as alt

import skan_receiver as skan
from skan_receiver import reports

STORE = "../var/demo/skan.sqlite3"
SHOP = 1000000001

before = skan.load_schema("../scenarios/schemas/shop_before.yaml")
after = skan.load_schema("../conversion_schemas/examples/rules.yaml")

# %% [markdown]
# The same value, read by either:

# %%
for value in (15, 20, 30):
    print(value, "before:", before.meaning(0, value))
    print(value, "after: ", after.meaning(0, value))

# %% [markdown]
# ## The days in between

# %%
with reports.open(STORE) as store:
    events = store.frame("events", by="day", app_id=SHOP, window=0, start="2000-01-01")
    values = store.frame("values", by="day", app_id=SHOP, window=0, start="2000-01-01")
purchases = events[(events["what"] == "event") & (events["name"] == "purchase")].copy()
purchases["certain share"] = purchases["certain"] / purchases["postbacks"]
alt.Chart(purchases).mark_bar().encode(
    alt.X("yearmonthdate(day):O", title=None),
    alt.Y("certain share:Q", title="Read by one version for certain", axis=alt.Axis(format="%")),
).properties(width=640, height=180)

# %% [markdown]
# Values that only one version has fade in and out over the same days:

# %%
changing = values[values["fine_value"].isin([20, 30])]
alt.Chart(changing).mark_line(point=True).encode(
    alt.X("yearmonthdate(day):O", title=None),
    alt.Y("share:Q", title="Share of values", axis=alt.Axis(format="%")),
    alt.Color("fine_value:N", title="Value"),
).properties(width=640, height=180)

# %% [markdown]
# Before and after the change every reading is certain; in between, nothing is lost: the weights of each postback add up to one.

# %%
doubtful = purchases[purchases["certain share"] < 0.999]
assert len(doubtful) > 0
assert len(doubtful) <= 8
assert purchases.iloc[0]["certain share"] == 1
assert purchases.iloc[-1]["certain share"] == 1
assert before.meaning(0, 20) is not None
assert after.meaning(0, 20) is None
