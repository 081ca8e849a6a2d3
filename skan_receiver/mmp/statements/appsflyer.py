"""AppsFlyer: Data Locker's `skad_*` topics row by row, and the aggregated performance report.

https://support.appsflyer.com/hc/en-us/articles/360014261518
"""

from skan_receiver.mmp.statements.format import Format
from skan_receiver.mmp.statements.line import INSTALL, REDOWNLOAD

APPSFLYER = Format(
    name="appsflyer",
    marks=frozenset({"skad_transaction_id", "skad_ad_network_id", "media_source_pid"}),
    postback_id=("skad_transaction_id",),
    arrived=("timestamp", "ad_network_timestamp", "arrival_date", "date"),
    installed=("install_date", "date"),
    ad_network_id=("skad_ad_network_id",),
    source=("media_source", "media_source_pid"),
    app_id=("skad_app_id", "app_id"),
    window=("skad_postback_sequence_index",),
    revenue=("skad_revenue", "total_revenue"),
    currency=("currency",),
    # One postback makes an install or a redownload, and rows of in-app events beside it.
    what=("event_name",),
    whats={"af_skad_install": INSTALL, "af_skad_redownload": REDOWNLOAD, "*": None},
    redownload=("skad_redownload",),
    did_win=("skad_did_win", "did_win"),
    counts={"installs": INSTALL, "redownloads": REDOWNLOAD},
)
