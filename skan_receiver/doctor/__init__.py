"""Looks at a real set-up and says what would keep postbacks from arriving."""

from skan_receiver.doctor.finding import Finding, State
from skan_receiver.doctor.own import look_at_ourselves
from skan_receiver.doctor.plist import look_at_plist
from skan_receiver.doctor.site import look_at_site

__all__ = ["Finding", "State", "look_at_ourselves", "look_at_plist", "look_at_site"]
