"""AppsFlyer: the columns of Data Locker's SKAdNetwork topics (`skad_*`).

https://support.appsflyer.com/hc/en-us/articles/360014261518 (SKAN postbacks, raw data)
"""

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import ColumnElement, and_

from skan_receiver.config import Settings
from skan_receiver.reports.analytics.names.dialect import Dialect, redownload
from skan_receiver.storage.predicate import POSTBACK, counts


def _only(settings: Settings) -> ColumnElement[bool]:
    """Their files hold what was verified."""
    return and_(counts(settings), POSTBACK.c.framework == "skadnetwork")


def _app(rows: pa.Table) -> pa.Array:
    return pc.binary_join_element_wise("id", rows["app_id"].cast(pa.string()), "")


def _event(rows: pa.Table) -> pa.Array:
    """Windows 1 and 2 are of users who were counted in window 0."""
    first = pc.equal(rows["window"], 0)
    name = pc.if_else(
        pc.fill_null(redownload(rows), False), "af_skad_redownload", "af_skad_install"
    )
    return pc.if_else(first, name, pa.scalar(None, pa.string()))


def _time(rows: pa.Table) -> pa.Array:
    return pc.strftime(rows["received_at"].cast(pa.timestamp("ms", tz="UTC")), "%Y-%m-%d %H:%M:%S")


_NOT_KNOWN = """
    ad_network_adset_id ad_network_adset_name ad_network_campaign_id ad_network_campaign_name
    ad_network_channel ad_network_source_app_id ad_network_ad_name ad_network_creative
    ad_network_timestamp af_attribution_flag af_prt city event_uuid event_value install_date
    install_type interval ip max_event_counter min_event_counter max_revenue min_revenue
    max_time_post_install min_time_post_install measurement_window media_source
    skad_ambiguous_event skad_mode skad_revenue user_agent
"""

APPSFLYER = Dialect(
    title="AppsFlyer",
    columns={
        "app_id": _app,
        "event_name": _event,
        "timestamp": _time,
        "skad_ad_network_id": "ad_network_id",
        "skad_app_id": "app_id",
        "skad_campaign_id": "campaign_id",
        "skad_coarse_conversion_value": "coarse_value",
        "skad_conversion_value": "fine_value",
        "skad_did_win": "did_win",
        "skad_fidelity_type": "fidelity_type",
        "skad_postback_sequence_index": "window",
        "skad_redownload": redownload,
        "skad_source_app_id": "source_app_id",
        "skad_source_domain": "source_domain",
        "skad_source_identifier": "source_identifier",
        "skad_transaction_id": "postback_id",
        "skad_version": "version",
        **dict.fromkeys(_NOT_KNOWN.split()),
    },
    only=_only,
)
