"""Branch: webhooks of Data Feeds, as JSON, or as a GET or POST with FreeMarker macros.

A macro is the path of the member it stands for, so both are read by one name.
https://help.branch.io/using-branch/docs/postback-macros-functions
"""

from collections.abc import Sequence
from typing import Any

from skan_receiver.mmp.event import Kind
from skan_receiver.mmp.providers.provider import Callback, Provider, Says
from skan_receiver.mmp.providers.provider import says as _says

# Of `name`; anything else is an in-app event.
_KINDS = {
    "install": Kind.INSTALL,
    "reinstall": Kind.REINSTALL,
    "reengagement": Kind.REENGAGEMENT,
    "re-engagement": Kind.REENGAGEMENT,
}

_TOUCH, _USER, _DATA = "last_attributed_touch_data", "user_data", "event_data"


def says(field: str, *names: str) -> Sequence[Says]:
    """`${(…)!}` is nothing where there is nothing, and no error of FreeMarker's."""
    return _says(field, *names, macro=f"${{({names[0]})!}}")


def yes(field: str, name: str) -> Sequence[Says]:
    """Booleans cannot be printed as they are."""
    return _says(field, name, macro=f"<%23if {name}>1<%23else>0</%23if>".replace("%23", "#"))


def _finish(told: dict[str, Any]) -> None:
    told["kind"] = _KINDS.get(str(told.get("name") or "").lower(), Kind.EVENT)
    if told["kind"] is Kind.EVENT and told.get("alias"):
        told["name"] = told["alias"]
    # Facebook's or Twitter's terms: nothing of whom it is attributed to may go on.
    allowed = told.pop("twitter_allows", None)
    told["is_restricted"] = bool(told.get("is_restricted")) or allowed is False
    if told.get("revenue") is None and told.get("revenue_usd") is not None:
        told["revenue"], told["currency"] = told["revenue_usd"], "USD"


BRANCH = Provider(
    name="branch",
    title="Branch",
    table=(
        *says("event_id", "id"),
        *says("name", "name"),
        *says("alias", "customer_event_alias"),
        *says("at", "event_timestamp", "timestamp"),
        *says("installed_at", "install_activity.timestamp"),
        *_says("app", "app_store_id", f"{_USER}.app_store_id"),
        *says("platform", f"{_USER}.os", f"{_USER}.platform"),
        *says("revenue", f"{_DATA}.revenue"),
        *says("currency", f"{_DATA}.currency"),
        *says("revenue_usd", f"{_DATA}.revenue_in_usd"),
        *says("order_id", f"{_DATA}.transaction_id"),
        *says("idfa", f"{_USER}.idfa"),
        *says("idfv", f"{_USER}.idfv"),
        *says("gaid", f"{_USER}.aaid"),
        *says("android_id", f"{_USER}.android_id"),
        *says("customer_user_id", f"{_USER}.developer_identity"),
        *says("ip", f"{_USER}.ip"),
        *says("user_agent", f"{_USER}.user_agent"),
        *yes("is_attributed", "attributed"),
        *says("media_source", f"{_TOUCH}.~advertising_partner_name"),
        *says("agency", f"{_TOUCH}.~agency"),
        *says("channel", f"{_TOUCH}.~channel"),
        *says("campaign_id", f"{_TOUCH}.~campaign_id"),
        *says("campaign_name", f"{_TOUCH}.~campaign"),
        *says("adset_id", f"{_TOUCH}.~ad_set_id"),
        *says("adset_name", f"{_TOUCH}.~ad_set_name"),
        *says("ad_id", f"{_TOUCH}.~ad_id"),
        *says("ad_name", f"{_TOUCH}.~ad_name"),
        *says("site_id", f"{_TOUCH}.~secondary_publisher_id"),
        *says("click_id", f"{_TOUCH}.~external_touch"),
        *says("touch_type", "last_attributed_touch_type"),
        *says("touched_at", "last_attributed_touch_timestamp"),
        *yes("is_restricted", f"{_TOUCH}.dollar_fb_data_terms_not_signed"),
        *_says("is_restricted", f"{_TOUCH}.$fb_data_terms_not_signed"),
        *_says(
            "twitter_allows",
            f"{_TOUCH}.dollar_twitter_data_sharing_allowed",
            f"{_TOUCH}.$twitter_data_sharing_allowed",
        ),
        *yes("limit_ad_tracking", f"{_USER}.limit_ad_tracking"),
        *_says("att", f"{_USER}.opted_in_status"),
        *says("country", f"{_USER}.geo_country_code"),
        *says("region", f"{_USER}.geo_region_code"),
        *says("os_version", f"{_USER}.os_version"),
        *says("app_version", f"{_USER}.app_version"),
        *says("model", f"{_USER}.model"),
        *says("language", f"{_USER}.language"),
        *says("sdk_version", f"{_USER}.sdk_version"),
    ),
    callbacks=(
        Callback("webhook for INSTALL and REINSTALL", {}),
        Callback("webhook for each other event", {}),
    ),
    finish=_finish,
    notes="Data Feeds > Webhooks: method GET, once for each event. A webhook that posts JSON is "
    "read too. It has no macro for the app: say which with --app. Branch tells of no rejected "
    "installs, as far as we found.",
)
