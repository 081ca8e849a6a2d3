"""Adjust: the placeholders of raw exports and callbacks (`sk_*`).

https://help.adjust.com/en/article/placeholders
"""

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import ColumnElement, and_, or_

from skan_receiver.config import Settings
from skan_receiver.reports.analytics.names.dialect import Dialect, redownload
from skan_receiver.storage.predicate import POSTBACK, counts


def _only(settings: Settings) -> ColumnElement[bool]:
    """What counts, and forgeries under their flag."""
    forged = POSTBACK.c.verdict == "invalid"
    return and_(or_(counts(settings), forged), POSTBACK.c.framework == "skadnetwork")


def _seconds(rows: pa.Table) -> pa.Array:
    return rows["received_at"].cast(pa.timestamp("s", tz="UTC"), safe=False).cast(pa.int64())


def _invalid(rows: pa.Table) -> pa.Array:
    return pc.equal(rows["verdict"], "invalid")


_NOT_KNOWN = """
    sk_payload sk_attribution_signature sk_timer_expiration sk_cv_window_expiration
    sk_registered_at sk_settings_updated_at sk_conversion_value_device
    sk_conversion_value_device_time sk_conversion_value_status sk_conversion_value_time
    reporting_revenue_min reporting_revenue_max count_min count_max event event_name partner
    campaign_name ip_address att_status
"""

ADJUST = Dialect(
    title="Adjust",
    columns={
        "sk_ts": _seconds,
        "sk_version": "version",
        "sk_network_id": "ad_network_id",
        "sk_campaign_id": "campaign_id",
        "sk_source_identifier": "source_identifier",
        "sk_transaction_id": "postback_id",
        "sk_app_id": "app_id",
        "sk_redownload": redownload,
        "sk_source_app_id": "source_app_id",
        "sk_source_domain": "source_domain",
        "sk_conversion_value": "fine_value",
        "sk_coarse_conversion_value": "coarse_value",
        "sk_postback_sequence_index": "window",
        "sk_fidelity_type": "fidelity_type",
        "sk_did_win": "did_win",
        "sk_invalid_signature": _invalid,
        **dict.fromkeys(_NOT_KNOWN.split()),
    },
    only=_only,
)
