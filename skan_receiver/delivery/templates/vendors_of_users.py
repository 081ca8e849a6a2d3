"""What vendors call what we have a macro for in events of users: as `vendors` has it for results.

From the same pages. Left out on purpose, since they nearly mean the same: Adjust's `revenue`, which
no text we have says the unit of, its `activity_kind` and `event` (a token); Singular's `utcm`; what
is in US dollars whatever a mapping says.
"""

from collections.abc import Mapping

from skan_receiver.delivery.templates.vendors import Names

APPSFLYER: Names = {
    "app_id": "store_id",
    "bundle_id": "bundle_id",
    "idfa": "idfa",
    "sha1_idfa": "idfa_sha1",
    "md5_idfa": "idfa_md5",
    "idfv": "idfv",
    "advertiserid": "gaid",
    "sha1_advertiserid": "gaid_sha1",
    "md5_advertiserid": "gaid_md5",
    "advertising_id": "gaid",
    "android_id": "android_id",
    "sha1_android_id": "android_id_sha1",
    "md5_android_id": "android_id_md5",
    "appsflyer_id": "mmp_user_id",
    "customer_user_id": "customer_user_id",
    "clickid": "click_id",
    "ip": "ip",
    "user_agent": "user_agent",
    "install_unix_ts": "installed_at_s",
    "click_ts": "touched_at_s",
    "event_name": "event_name",
    "partner_event_id": "event",
    "event_time": "event_time",
    "event_revenue": "revenue",
    "event_revenue_currency": "currency",
    "media_source": "media_source",
    "campaign": "campaign_name",
    "af_c_id": "campaign_id",
    "af_adset": "adset_name",
    "af_adset_id": "adset_id",
    "af_ad": "ad_name",
    "af_ad_id": "ad_id",
    "af_siteid": "site_id",
    "af_channel": "channel",
    "match_type": "match_type",
    "is_retargeting": "is_retargeting",
    "country_code": "country",
    "region": "region",
    "os_version": "os_version",
    "sdk_version": "sdk_version",
}

ADJUST: Names = {
    "app_id": "store_id",
    "idfa": "idfa",
    "idfa_md5": "idfa_md5",
    "idfv": "idfv",
    "gps_adid": "gaid",
    "gps_adid_md5": "gaid_md5",
    "android_id": "android_id",
    "android_id_md5": "android_id_md5",
    "adid": "mmp_user_id",
    "ip_address": "ip",
    "user_agent": "user_agent",
    "att_status": "att_status",
    "created_at": "event_time_s",
    "created_at_milli": "event_time_ms",
    "installed_at": "installed_at_s",
    "click_time": "touched_at_s",
    "event_name": "event_name",
    "currency": "currency",
    "campaign_name": "campaign_name",
    "adgroup_name": "adset_name",
    "creative_name": "ad_name",
    "match_type": "match_type",
    "country": "country",
    "language": "language",
    "os_version": "os_version",
    "random": "digits",
}

SINGULAR: Names = {
    "public_id": "store_id",
    "app_id": "store_id",
    "idfa": "idfa",
    "idfv": "idfv",
    "aifa": "gaid",
    "andi": "android_id",
    "cl": "click_id",
    "event_ip": "ip",
    "evtname": "event_name",
    "amount": "revenue",
    "cid": "campaign_name",
    "pcrid": "ad_id",
    "os_version": "os_version",
}

BRANCH: Names = {
    "id": "event_id",
    "name": "event_name",
    "customer_event_alias": "event",
    "event_timestamp": "event_time_ms",
    "event_data.revenue": "revenue",
    "event_data.currency": "currency",
    "user_data.idfa": "idfa",
    "user_data.idfv": "idfv",
    "user_data.aaid": "gaid",
    "user_data.android_id": "android_id",
    "user_data.developer_identity": "customer_user_id",
    "user_data.ip": "ip",
    "user_data.user_agent": "user_agent",
    "user_data.os_version": "os_version",
    "user_data.app_version": "app_version",
    "user_data.model": "model",
    "user_data.language": "language",
    "last_attributed_touch_data.~campaign": "campaign_name",
    "last_attributed_touch_data.~campaign_id": "campaign_id",
    "last_attributed_touch_data.~ad_set_name": "adset_name",
    "last_attributed_touch_data.~ad_set_id": "adset_id",
    "last_attributed_touch_data.~ad_name": "ad_name",
    "last_attributed_touch_data.~ad_id": "ad_id",
    "last_attributed_touch_data.~channel": "channel",
}

APPMETRICA: Names = {
    "click_id": "click_id",
    "transaction_id": "event_id",
    "match_type": "match_type",
    "ios_ifa": "idfa",
    "ios_ifv": "idfv",
    "google_aid": "gaid",
    "android_id": "android_id",
    "conversion_datetime": "event_time",
    "conversion_timestamp": "event_time_s",
    "price": "revenue",
    "currency": "currency",
}

SACHINAST: Names = {
    "event_id": "event_id",
    "event_name": "event_name",
    "event_timestamp": "event_time",
    "app_id": "store_id",
    "campaign_id": "campaign_id",
    "campaign_name": "campaign_name",
    "source": "media_source",
    "revenue": "revenue",
    "currency": "currency",
    "country": "country",
}

# By dialect, as `dialects` names them.
OF_USERS: Mapping[str, Names] = {
    "appsflyer": APPSFLYER,
    "adjust": ADJUST,
    "singular": SINGULAR,
    "branch": BRANCH,
    "appmetrica": APPMETRICA,
    "sachinast": SACHINAST,
}
