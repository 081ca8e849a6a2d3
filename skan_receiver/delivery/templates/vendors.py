"""What vendors call what we have a macro for: their names in lower case, with _ for -.

A name is here only where it means the same. One that nearly does is left out on purpose, so that
a person decides: Adjust's `label` is a tracker's, ours a value's.
"""

from collections.abc import Mapping

Names = Mapping[str, str]

# Columns of the SKAN export, and macros of help.appsflyer.com 207273946 and 360018512658.
APPSFLYER: Names = {
    "skad_version": "version",
    "skad_ad_network_id": "ad_network_id",
    "skad_campaign_id": "skan_campaign_id",
    "skad_source_identifier": "source_identifier",
    "skad_transaction_id": "postback_id",
    "skad_app_id": "app_id",
    "skad_conversion_value": "fine_value",
    "skad_coarse_conversion_value": "coarse_value",
    "skad_postback_sequence_index": "window",
    "skad_fidelity_type": "fidelity_type",
    "skad_did_win": "did_win",
    "skad_redownload": "redownload",
    "skad_source_app_id": "source_app_id",
    "skad_source_domain": "source_domain",
    "skad_revenue": "revenue",
    "min_revenue": "revenue_min",
    "max_revenue": "revenue_max",
    "event_revenue": "revenue",
    "event_revenue_currency": "currency",
    "ad_network_campaign_id": "campaign_id",
    "ad_network_campaign_name": "campaign_name",
    "ad_network_adset_id": "adset_id",
    "ad_network_adset_name": "adset_name",
    "ad_network_ad_id": "ad_id",
    "ad_network_ad_name": "ad_name",
    "ad_network_channel": "channel",
    "campaign": "campaign_name",
    "app_id": "app_id",
    "timestamp": "received_at_s",
    "country_code": "country",
}

# help.adjust.com skad-raw-data-export, skad-activity-event and callback-structure-partner.
ADJUST: Names = {
    "sk_payload": "postback_base64",  # theirs is the JSON itself, ours is in base64
    "sk_ts": "received_at_s",
    "sk_version": "version",
    "sk_network_id": "ad_network_id",
    "sk_campaign_id": "skan_campaign_id",
    "sk_source_identifier": "source_identifier",
    "sk_transaction_id": "postback_id",
    "sk_app_id": "app_id",
    "sk_conversion_value": "fine_value",
    "sk_coarse_conversion_value": "coarse_value",
    "sk_postback_sequence_index": "window",
    "sk_fidelity_type": "fidelity_type",
    "sk_did_win": "did_win",
    "sk_redownload": "redownload",
    "sk_source_app_id": "source_app_id",
    "sk_source_domain": "source_domain",
    "reporting_revenue": "revenue",
    "reporting_revenue_min": "revenue_min",
    "reporting_revenue_max": "revenue_max",
    "reporting_currency": "currency",
    "campaign_name": "campaign_name",
    "adgroup_name": "adset_name",
    "creative_name": "ad_name",
    "tracker": "tracker",
    "app_id": "app_id",
    "created_at": "received_at_s",
    "created_at_milli": "received_at_ms",
    "country": "country",
    "random": "digits",
}

# support.singular.net 115004063323, and github.com/singular-labs/skan, section 5.1.
SINGULAR: Names = {
    "attribution_type": "framework",
    "skan_postback": "postback_base64",
    "public_id": "app_id",
    "app_id": "app_id",
    "revenue": "revenue",
    "amount": "revenue",
    "events": "events",
    "cid": "campaign_name",
    "pcrid": "ad_id",
    "pcrn": "ad_name",
    "country": "country",
}

# help.branch.io postback-macros-functions and skadnetwork-data.
BRANCH: Names = {
    "id": "delivery_id",
    "timestamp": "received_at_ms",
    "event_timestamp": "received_at_ms",
    "annotation_revenue_lower": "revenue_min",
    "annotation_revenue_upper": "revenue_max",
    "event_data.revenue": "revenue",
    "event_data.currency": "currency",
    "last_attributed_touch_data.~campaign": "campaign_name",
    "last_attributed_touch_data.~campaign_id": "campaign_id",
    "last_attributed_touch_data.~ad_set_name": "adset_name",
    "last_attributed_touch_data.~ad_set_id": "adset_id",
    "last_attributed_touch_data.~ad_name": "ad_name",
    "last_attributed_touch_data.~ad_id": "ad_id",
    "last_attributed_touch_data.~channel": "channel",
}

# appmetrica.yandex.com mobile-tracking/postback-specification and ios-tracking-skadnetwork.
APPMETRICA: Names = {
    "transaction_id": "postback_id",
    "store_app_id": "app_id",
    "conversion_datetime": "received_at",
    "conversion_timestamp": "received_at_s",
    "price": "revenue",
    "currency": "currency",
    "ad_network_campaign_id": "campaign_id",
    "ad_network_campaign_name": "campaign_name",
    "ad_network_adset_id": "adset_id",
    "ad_network_adset_name": "adset_name",
    "ad_network_ad_id": "ad_id",
    "ad_network_ad_name": "ad_name",
}

# github.com/sachinast/mmp, mmp_providers/templates.py.
SACHINAST: Names = {
    "event_id": "delivery_id",
    "event_timestamp": "received_at",
    "app_id": "app_id",
    "campaign_id": "campaign_id",
    "campaign_name": "campaign_name",
    "source": "channel",
    "revenue": "revenue",
    "currency": "currency",
    "country": "country",
    "attribution_method": "framework",
}
