"""Airbridge: advertiser postbacks, GET or POST, whose fields are chosen and named in its dashboard.

https://help.airbridge.io/en/guides/advertiser-postback-settings
"""

from typing import Any

from skan_receiver.mmp.event import Kind
from skan_receiver.mmp.providers.plain import PLAIN
from skan_receiver.mmp.providers.provider import Callback, Provider, says

# Of its event categories.
_KINDS = {
    "install": Kind.INSTALL,
    "install (app)": Kind.INSTALL,
    "app install": Kind.INSTALL,
    "reinstall": Kind.REINSTALL,
    "deeplink open": Kind.REENGAGEMENT,
}


def _finish(told: dict[str, Any]) -> None:
    if told.get("kind") is None and told.get("name"):
        told["kind"] = _KINDS.get(told["name"].lower(), Kind.EVENT)


AIRBRIDGE = Provider(
    name="airbridge",
    title="Airbridge",
    table=(
        *PLAIN,
        # As its server-to-server API calls them.
        *says("event_id", "eventUUID"),
        *says("at", "eventTimestamp"),
        *says("name", "eventName", "eventData.goal.category"),
        *says("customer_user_id", "user.externalUserID"),
        *says("mmp_user_id", "device.deviceUUID"),
        *says("idfa", "device.ifa"),
        *says("idfv", "device.ifv"),
        *says("gaid", "device.gaid"),
        *says("media_source", "attributedChannel"),
        *says("campaign_name", "attributedCampaign"),
    ),
    callbacks=(
        Callback("connection of installs", {"kind": "install"}),
        Callback("connection of in-app events", {"kind": "event"}),
    ),
    finish=_finish,
    notes="Organization > Integration > Advertiser Postback: method POST; name the fields as "
    "docs/events.md does. Its own list of names, and what it tells of rejected installs, is not "
    "public.",
)
