"""Singular: the SKAdNetwork Raw Data page and reports, which are sums by their dimensions.

https://support.singular.net/hc/en-us/articles/4408240139163
"""

from skan_receiver.mmp.statements.format import Format
from skan_receiver.mmp.statements.line import INSTALL, REDOWNLOAD

SINGULAR = Format(
    name="singular",
    marks=frozenset({"skan_network_id", "skan_app_id", "skan_installs"}),
    postback_id=("skan_transaction_id", "transaction_id"),
    arrived=("postback_date", "postback_timestamp", "date", "day", "start_date"),
    installed=("estimated_install_date", "install_date", "date", "day", "start_date"),
    ad_network_id=("skan_network_id",),
    source=("source",),
    app_id=("skan_app_id",),
    window=("skan_postback_sequence_index",),
    revenue=("skan_revenue", "skan_total_revenue"),
    currency=("currency",),
    redownload=("skan_redownload",),
    did_win=("skan_did_win",),
    counts={"skan_installs": INSTALL, "installs": INSTALL, "skan_redownloads": REDOWNLOAD},
)
