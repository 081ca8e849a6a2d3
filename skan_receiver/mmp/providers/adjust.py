"""Adjust: callbacks, as a GET, or a POST with the parameters in its query or as a form.

Placeholders without a value are dropped from a callback.
https://help.adjust.com/en/article/install-callbacks
https://help.adjust.com/en/article/event-callbacks
https://help.adjust.com/en/article/rejected-install-or-reattribution-callbacks
https://help.adjust.com/en/article/ad-revenue-callbacks
"""

from collections.abc import Sequence
from typing import Any

from skan_receiver.mmp.event import Kind
from skan_receiver.mmp.providers.apple import COLUMNS
from skan_receiver.mmp.providers.provider import Callback, Provider, Says
from skan_receiver.mmp.providers.provider import says as _says

# Of {activity_kind}; anything else is an event, of that name where it has no other.
_KINDS = {
    "install": Kind.INSTALL,
    "reinstall": Kind.REINSTALL,
    "reattribution": Kind.REENGAGEMENT,
    "reattribution_reinstall": Kind.REINSTALL,
    "rejected_install": Kind.REJECTED,
    "rejected_reattribution": Kind.REJECTED,
    "event": Kind.EVENT,
}

ORGANIC = "organic"

# Apple's own JSON, its members as a second chance, and what Adjust adds to them.
_SKAN = {
    "sk_payload": "{sk_payload}",
    **{name: f"{{{name}}}" for names in COLUMNS["adjust"].values() for name in names},
    "campaign_name": "{campaign_name}",
    "partner": "{partner}",
    "timestamp": "{sk_ts}",
}


def says(field: str, *names: str) -> Sequence[Says]:
    """A placeholder has the name it is sent under."""
    return _says(field, *names, macro=f"{{{names[0]}}}")


def _finish(told: dict[str, Any]) -> None:
    activity = str(told.get("kind") or "event").lower().replace(" ", "_")
    told["kind"] = _KINDS.get(activity, Kind.EVENT)
    if told.get("name") is None and told["kind"] is Kind.EVENT and activity != "event":
        told["name"] = activity
    # The tracker's name is Network::Campaign::Adgroup::Creative.
    network = told.get("media_source") or str(told.pop("tracker", None) or "").partition("::")[0]
    if network:
        told["media_source"] = None if network.lower() == ORGANIC else network
        told["is_attributed"] = network.lower() != ORGANIC
    told.pop("tracker", None)
    if told.get("revenue") is None and told.get("reporting_revenue") is not None:
        told["revenue"] = told["reporting_revenue"]
        told["currency"] = told.get("reporting_currency")
    if told.get("is_view"):
        told["touch_type"] = "view"


ADJUST = Provider(
    name="adjust",
    title="Adjust",
    table=(
        *says("kind", "activity_kind"),
        *says("name", "event_name", "event"),
        *says("at", "created_at"),
        *says("installed_at", "installed_at"),
        *says("app", "app_id", "store_app_id"),
        *says("platform", "os_name"),
        # {revenue} is in cents, whatever the currency.
        *says("revenue", "revenue_float"),
        *says("currency", "currency"),
        *says("reporting_revenue", "reporting_revenue"),
        *says("reporting_currency", "reporting_currency"),
        *_says("order_id", "order_id", "transaction_id"),
        *says("rejection", "rejection_reason"),
        *says("idfa", "idfa"),
        *says("idfv", "idfv"),
        *says("gaid", "gps_adid"),
        *says("android_id", "android_id"),
        *says("mmp_user_id", "adid"),
        *_says("customer_user_id", "customer_user_id", "user_id", "external_device_id"),
        *says("click_id", "click_id"),
        *says("ip", "ip_address"),
        *says("user_agent", "user_agent"),
        *says("media_source", "network_name"),
        *says("tracker", "tracker_name", "link_name"),
        *says("campaign_name", "campaign_name"),
        *says("adset_name", "adgroup_name"),
        *says("ad_name", "creative_name"),
        *_says("campaign_id", "campaign_id"),
        *_says("adset_id", "adgroup_id"),
        *_says("ad_id", "creative_id"),
        *_says("site_id", "publisher_id"),
        *says("touched_at", "engagement_time", "click_time"),
        *says("match_type", "match_type"),
        *says("is_view", "impression_based"),
        *says("organic", "is_organic"),
        *says("att", "att_status"),
        *says("limit_ad_tracking", "tracking_limited"),
        *says("country", "country"),
        *says("region", "region"),
        *says("os_version", "os_version"),
        *says("app_version", "app_version"),
        *says("model", "device_name", "device_type"),
        *says("language", "language"),
        *says("sdk_version", "sdk_version"),
    ),
    callbacks=(
        Callback("install callback", {"activity_kind": "install"}),
        Callback("reinstall callback", {"activity_kind": "reinstall"}),
        Callback("reattribution callback", {"activity_kind": "reattribution"}),
        Callback("event callback, of each event", {"activity_kind": "event"}),
        Callback("rejected install callback", {"activity_kind": "rejected_install"}),
        Callback("SKAN callbacks: SKAN install, direct install, event, qualifier", {}, _SKAN),
    ),
    finish=_finish,
    notes="AppView > your app > Raw data export > Real-time callbacks: one address for each kind. "
    "Callback parameters that the app's own code sets are read as order_id and customer_user_id.",
)
