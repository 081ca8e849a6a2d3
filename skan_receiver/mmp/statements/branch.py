"""Branch: the SKAdNetwork export. Its own `id` and `app_id` are Branch's; `body_*` is Apple's.

https://help.branch.io/using-branch/docs/skadnetwork-data
"""

from skan_receiver.mmp.statements.format import Format

BRANCH = Format(
    name="branch",
    marks=frozenset({"body_transaction_id", "body_ad_network_id", "annotation_dollar_3p"}),
    postback_id=("body_transaction_id",),
    arrived=("timestamp",),
    ad_network_id=("body_ad_network_id",),
    source=("annotation_dollar_3p",),
    app_id=("body_app_id",),
    window=("body_postback_sequence_index",),
    redownload=("body_redownload",),
    did_win=("body_did_win",),
    invalid=("invalid_reason",),
)
