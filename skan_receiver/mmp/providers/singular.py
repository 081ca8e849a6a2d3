"""Singular: postbacks to an internal BI, a POST of JSON, and the macros of its postbacks.

The names inside that JSON are not public: these are the names of its macros and of its own
server-to-server API. What is sent under another name is in the quarantine, with what is missing.
https://support.singular.net/hc/en-us/articles/360038040791
https://support.singular.net/hc/en-us/articles/115004063323
https://support.singular.net/hc/en-us/articles/360002585151
"""

from typing import Any

from skan_receiver.mmp.event import Kind
from skan_receiver.mmp.providers.provider import Callback, Provider, says

_KINDS = {
    "__start__": Kind.INSTALL,
    "install": Kind.INSTALL,
    "__reinstall__": Kind.REINSTALL,
    "reinstall": Kind.REINSTALL,
}

ORGANIC = "organic"


def _finish(told: dict[str, Any]) -> None:
    told["kind"] = _KINDS.get(str(told.get("name") or "").lower(), Kind.EVENT)
    # A re-engagement is an install's twin, told apart by a flag alone.
    if told["kind"] is Kind.INSTALL and told.get("is_retargeting"):
        told["kind"] = Kind.REENGAGEMENT
    source = str(told.get("media_source") or "").lower()
    if source:
        told["is_attributed"] = source != ORGANIC
    if source == ORGANIC:
        told["media_source"] = None
    if told.pop("is_view", None):
        told["touch_type"] = "view"


SINGULAR = Provider(
    name="singular",
    title="Singular",
    table=(
        *says("name", "event", "event_name", "evtname", macro="{EVTNAME}"),
        *says("at", "timestamp", "utcm", "utc", "event_timestamp", macro="{UTCM}"),
        *says("installed_at", "install_utc", "install_time"),
        *says("app", "app_id", "public_id", "store_id", macro="{PUBLIC_ID}"),
        *says("bundle_id", "bundle_id", "longname", "app_longname", macro="{LONGNAME}"),
        *says("platform", "platform", "os"),
        *says("revenue", "amount", "revenue", macro="{AMOUNT}"),
        *says("currency", "currency", "cur"),
        *says("order_id", "order_id", "transaction_id", "receipt_id"),
        *says("idfa", "idfa"),
        *says("idfv", "idfv"),
        *says("gaid", "aifa", "gaid"),
        *says("android_id", "andi", "android_id"),
        *says("customer_user_id", "custom_user_id", "user_id"),
        *says("mmp_user_id", "singular_id", "sdid"),
        *says("click_id", "cl_id", "click_id"),
        *says("ip", "ip", macro="{EVENT_IP}"),
        *says("user_agent", "user_agent", "ua"),
        *says("media_source", "network", "partner", "source"),
        *says("campaign_id", "campaign_id", "tracker_campaign_id", macro="{CID}"),
        *says("campaign_name", "campaign", "campaign_name", "tracker_campaign_name"),
        *says("adset_id", "sub_campaign_id"),
        *says("adset_name", "sub_campaign_name"),
        *says("ad_id", "creative_id"),
        *says("ad_name", "creative_name"),
        *says("site_id", "publisher_id", "site_id"),
        *says("is_view", "is_viewthrough", "is_view_through", macro="{IS_VIEWTHROUGH}"),
        *says("is_retargeting", "is_re_eng", "is_reengagement", macro="{IS_RE_ENG}"),
        *says("att", "att_authorization_status", "att_status"),
        *says("limit_ad_tracking", "dnt", "limit_ad_tracking"),
        *says("limited_data_use", "limit_data_sharing", "data_sharing_limited"),
        *says("country", "country", "country_code"),
        *says("os_version", "os_version", macro="{OS_VERSION}"),
        *says("app_version", "app_version"),
        *says("model", "device_model", "model"),
        *says("sdk_version", "sdk_version"),
    ),
    callbacks=(
        Callback("installs and re-engagements", {"event": "__START__"}),
        Callback("in-app events, each", {}),
    ),
    finish=_finish,
    notes="Attribution > Partner Configuration > Internal BI. Leave out __REVENUE__ where __iap__ "
    "is sent: it tells the same purchases twice. No macro for an id of the device is public: add "
    "those of your account, as idfa=, idfv=, aifa= and custom_user_id=, or users are told apart by "
    "their address alone. The names in its JSON, and of rejected installs, we did not find in "
    "public.",
)
