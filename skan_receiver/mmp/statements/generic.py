"""A statement of anybody's: columns named as ours are."""

from skan_receiver.mmp.statements.format import Format
from skan_receiver.mmp.statements.line import INSTALL, KINDS, REDOWNLOAD, REENGAGEMENT

GENERIC = Format(
    name="generic",
    marks=frozenset(),  # what is of no other format
    postback_id=("transaction_id", "postback_id", "postback_identifier"),
    arrived=("day", "date", "arrived_on", "arrived_at"),
    installed=("day", "date", "installed_on", "installed_at"),
    ad_network_id=("ad_network_id",),
    source=("network", "media_source", "source", "partner"),
    app_id=("app_id",),
    window=("window", "postback_sequence_index"),
    revenue=("revenue",),
    currency=("currency",),
    what=("kind",),
    whats={kind: kind for kind in KINDS},
    redownload=("redownload",),
    did_win=("did_win",),
    counts={
        "count": INSTALL,
        "installs": INSTALL,
        "redownloads": REDOWNLOAD,
        "reengagements": REENGAGEMENT,
    },
)
