"""AppsFlyer: Push API 2.0, as JSON or in a query, and the names of the first version.

https://support.appsflyer.com/hc/en-us/articles/207034356
https://support.appsflyer.com/hc/en-us/articles/208387843
https://support.appsflyer.com/hc/en-us/articles/360006868017
"""

from typing import Any

from skan_receiver.mmp.event import Kind
from skan_receiver.mmp.providers.provider import Callback, Provider, says

# Of `event_name`, or of `event_type` in the first version; anything else is an in-app event.
_KINDS = {
    "install": Kind.INSTALL,
    "organic-install": Kind.INSTALL,
    "reinstall": Kind.REINSTALL,
    "organic-reinstall": Kind.REINSTALL,
    # A new install that an ad for those who had the app before brought about.
    "re-attribution": Kind.REINSTALL,
    "re-engagement": Kind.REENGAGEMENT,
}

ORGANIC, RESTRICTED = "organic", "restricted"


def _finish(told: dict[str, Any]) -> None:
    # `event_type` is "in-app-event" for the others in some versions of it.
    named = told.get("name") or told.get("kind") or ""
    told["kind"] = _KINDS.get(named.lower(), Kind.EVENT)
    # Without a name, a network that lets its data go to nobody else: it is attributed, no more.
    source = str(told.get("media_source") or "").lower()
    if source:
        told["is_attributed"] = source != ORGANIC
    if source in (ORGANIC, RESTRICTED):
        told["media_source"] = None
    told["is_restricted"] = source == RESTRICTED
    if told.get("revenue") is None and told.get("revenue_usd") is not None:
        told["revenue"], told["currency"] = told["revenue_usd"], "USD"


APPSFLYER = Provider(
    name="appsflyer",
    title="AppsFlyer",
    table=(
        *says("app", "app_id"),
        *says("bundle_id", "bundle_id"),
        *says("platform", "platform"),
        *says("name", "event_name"),
        *says("kind", "event_type"),
        *says("at", "event_time"),
        *says("installed_at", "install_time"),
        *says("revenue", "event_revenue"),
        *says("currency", "event_revenue_currency"),
        *says("revenue_usd", "event_revenue_usd"),
        *says("order_id", "event_value.af_order_id", "event_value.af_receipt_id"),
        *says("rejection", "blocked_reason", "rejected_reason"),
        *says("idfa", "idfa"),
        *says("idfv", "idfv"),
        *says("gaid", "advertising_id"),
        *says("android_id", "android_id"),
        *says("customer_user_id", "customer_user_id"),
        *says("mmp_user_id", "appsflyer_id", "appsflyer_device_id"),
        *says("ip", "ip"),
        *says("user_agent", "user_agent"),
        *says("media_source", "media_source"),
        *says("agency", "af_prt", "agency"),
        *says("channel", "af_channel"),
        *says("campaign_id", "af_c_id", "fb_campaign_id"),
        *says("campaign_name", "campaign", "fb_campaign_name"),
        *says("adset_id", "af_adset_id", "fb_adset_id"),
        *says("adset_name", "af_adset", "fb_adset_name"),
        *says("ad_id", "af_ad_id", "fb_adgroup_id"),
        *says("ad_name", "af_ad", "fb_adgroup_name"),
        *says("site_id", "af_siteid"),
        *says("touch_type", "attributed_touch_type"),
        *says("touched_at", "attributed_touch_time", "click_time"),
        *says("match_type", "match_type"),
        *says("is_retargeting", "is_retargeting"),
        *says("att", "att"),
        *says("limit_ad_tracking", "is_lat"),
        *says("gdpr_applies", "gdpr_applies"),
        *says("ad_user_data", "ad_user_data_enabled"),
        *says("ad_personalization", "ad_personalization_enabled"),
        *says("country", "country_code"),
        *says("region", "state"),  # its `region` is a continent
        *says("os_version", "os_version"),
        *says("app_version", "app_version"),
        *says("model", "device_model", "device_type"),
        *says("language", "language"),
        *says("sdk_version", "sdk_version"),
    ),
    # It fills in no macros: each message has every field that was chosen.
    callbacks=(Callback("installs, re-engagements and in-app events, as chosen there", {}),),
    finish=_finish,
    opened=("event_value",),
    notes="Integration > API Access > Push API: method POST, and all the fields that are named "
    "below; with GET too. Blocked installs come where Protect360's reports are pushed too; "
    "whether they can be, and under which names, we found documented for its reports only.",
)
