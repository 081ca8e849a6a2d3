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
# # Reading conversion values
#
# A value is a number from 0 to 63, or `low`, `medium`, `high`. What it means, the app's schema says. The library reads it; no server is needed for that.

# %%
import pandas as pd

import skan_receiver as skan
from skan_receiver import reports

STORE = "../var/demo/skan.sqlite3"
SCHEMA = "../conversion_schemas/525463029.yaml"

schema = skan.load_schema(SCHEMA)
schema.name

# %% [markdown]
# ## One postback
#
# One that Apple published. It is parsed, its signature is verified, its value is read.

# %%
body = """{
  "version": "4.0", "ad-network-id": "com.example", "source-identifier": "5239", "app-id": 525463029,
  "transaction-id": "6aafb7a5-0170-41b5-bbe4-fe71dedf1e30", "redownload": false, "source-domain": "example.com",
  "fidelity-type": 1, "did-win": true, "conversion-value": 63, "postback-sequence-index": 0,
  "attribution-signature": "MEUCIGRmSMrqedNu6uaHyhVcifs118R5z/AB6cvRaKrRRHWRAiEAv96ne3dKQ5kJpbsfk4eYiePmrZUU6sQmo+7zfP/1Bxo="
}"""
postback = skan.parse(body)
verdict = skan.verify(postback)
decoded = skan.decode(postback, schema)
print(verdict.value, "–", decoded)

# %% [markdown]
# ## All values of the first window
#
# A value that is not mentioned does not say "no": value 5 tells of a registration and nothing of purchases.

# %%
known = [(value, schema.meaning(0, value)) for value in range(64)]
meanings = pd.DataFrame(
    [
        {
            "value": value,
            "label": meaning.label,
            "says": str(meaning),
            "revenue from": meaning.revenue_of("total").min if meaning.revenue else None,
        }
        for value, meaning in known
        if meaning
    ]
).set_index("value")
meanings

# %% [markdown]
# ## How values are spread
#
# The row without a value is the null share: withheld by Apple, or never set. It is absent, never 0.

# %%
with reports.open(STORE) as store:
    values = store.frame("values", by="window", app_id=schema.app_id)
    chart = store.chart("values", by="window", app_id=schema.app_id)
chart

# %%
first = values[(values["window"] == 0) & values["fine_value"].notna()].copy()
first["says"] = first["fine_value"].map(meanings["says"].to_dict())
first[["fine_value", "postbacks", "share", "says"]]

# %%
assert verdict is skan.Verdict.VALID
assert decoded.meaning.event("purchase").min == 1
assert (values.groupby("window", observed=True)["share"].sum().round(9) == 1).all()
assert set(first["fine_value"]) <= set(range(64))
