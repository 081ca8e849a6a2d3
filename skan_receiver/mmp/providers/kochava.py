"""Kochava: custom postbacks, whose macros are chosen from a list in its dashboard.

That list names them by what they mean; how they are spelt we did not find in public. So the
address has our names, and what is not replaced counts as not said.
https://support.kochava.com/campaign-management/create-a-custom-postback
"""

from typing import Any

from skan_receiver.mmp.event import Kind
from skan_receiver.mmp.providers.plain import with_macros
from skan_receiver.mmp.providers.provider import Callback, Provider

# What its list has, by the name under which we read it.
_LISTED = {
    "name": "{event_name}",
    "at": "{event_date}",
    "revenue": "{event_value}",
    "ip": "{ip_address}",
    "user_agent": "{user_agent}",
    "idfa": "{idfa}",
    "gaid": "{adid}",
    "android_id": "{android_id}",
    "mmp_user_id": "{kochava_device_id}",
    "media_source": "{network_name}",
    "campaign_name": "{campaign_name}",
}

# What an install is called there.
INSTALL = "_install"


def _finish(told: dict[str, Any]) -> None:
    if told.get("name") == INSTALL:
        told["kind"], told["name"] = Kind.INSTALL, None


KOCHAVA = Provider(
    name="kochava",
    title="Kochava",
    table=with_macros(_LISTED),
    callbacks=(
        Callback("custom postback of installs", {"kind": "install"}),
        Callback("custom postback of each other event", {"kind": "event"}),
        Callback("custom postback of rejected installs", {"kind": "rejected_install"}),
    ),
    finish=_finish,
    notes="Apps & Assets > Partner Configuration > Custom Postback: in place of each {macro} take "
    "the one from Kochava's list that means the same, since their spelling is not public.",
)
