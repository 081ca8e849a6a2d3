"""Adjust: raw exports and callbacks with `sk_*` placeholders, and reports with `skad_*` metrics.

https://help.adjust.com/en/article/skad-raw-data-export
"""

from skan_receiver.mmp.statements.format import Format
from skan_receiver.mmp.statements.line import INSTALL, LOST, REDOWNLOAD

ADJUST = Format(
    name="adjust",
    marks=frozenset({"sk_transaction_id", "sk_network_id", "skad_installs", "skad_total_installs"}),
    postback_id=("sk_transaction_id",),
    # When the network received it, and the day of a report.
    arrived=("sk_ts", "day", "date"),
    installed=("installed_at", "day", "date"),
    ad_network_id=("sk_network_id",),
    source=("partner", "partner_name", "network", "channel"),
    app_id=("sk_app_id", "store_id"),
    window=("sk_postback_sequence_index",),
    revenue=("skad_revenue", "skan_total_revenue_est"),
    currency=("currency",),
    # Qualifiers are the postbacks of those that did not win; the others come beside an install.
    what=("activity_kind",),
    whats={
        "sk_install": INSTALL,
        "sk_install_direct": INSTALL,
        "sk_qualifier": LOST,
        "*": None,
    },
    redownload=("sk_redownload",),
    did_win=("sk_did_win",),
    invalid=("sk_invalid_signature",),
    counts={
        "skad_installs": INSTALL,
        "skad_reinstalls": REDOWNLOAD,
        "skad_qualifiers": LOST,
    },
)
