"""What stands for a value that cannot be read, where the event can do without it.

An install is worth more than its country in two letters. What makes an event what it is (what
happened, when, to whom, in which app, what it was worth) or says that it may go to nobody has no
stand-in: then the event waits in the quarantine.
"""

from collections.abc import Mapping
from dataclasses import fields

from skan_receiver.mmp.event import Attribution, Device

# What nobody understands of a refusal is one.
_REFUSALS = ("limit_ad_tracking", "gdpr_applies", "limited_data_use", "child_directed")
_SPARED = (
    *(each.name for kind in (Attribution, Device) for each in fields(kind)),
    *("ip", "user_agent", "organic", "is_view"),
    # Not known is a no.
    *("att", "ad_user_data", "ad_personalization"),
)
# "restricted" is one of AppsFlyer's.
_NEEDED = {"media_source"}

# By field.
STAND_INS: Mapping[str, bool | None] = {
    **{name: None for name in _SPARED if name not in _NEEDED},
    **dict.fromkeys(_REFUSALS, True),
}
