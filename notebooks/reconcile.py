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
# # Why do their numbers differ from ours?
#
# Import what an MMP or a network says (`skan-receiver statements import FILE --as NAME`), and go from their number to ours by named steps. What nothing explains is the last step, and should be near 0.

# %%
from skan_receiver import reports

STORE = "../var/demo/skan.sqlite3"
STATEMENT = "demo-mmp"
store = reports.open(STORE)

# %%
steps = store.frame("reconcile", statement=STATEMENT)
steps[["step", "says", "count"]]

# %%
store.chart("reconcile", statement=STATEMENT)

# %% [markdown]
# ## Looking closer
#
# Each step has examples. A partner who is shown these ids can find them.

# %%
examples = steps.set_index("step")["examples"]
[one["postback_id"] for one in examples["redownloads"]][:5]

# %%
counts = steps.set_index("step")["count"]
assert counts["theirs"] + counts.drop(["theirs", "ours"]).sum() == counts["ours"]
assert abs(counts["unexplained"]) <= 0.01 * counts["ours"]
assert counts["redownloads"] < 0
store.close()
