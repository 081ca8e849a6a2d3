"""An ad network's names beside Apple's members, as AppsFlyer wrote them first and others after."""

from skan_receiver.delivery.presets.preset import Member, Need

_SAYS = {
    "ad-network-campaign-id": ("campaign_id", "the network's id of the campaign"),
    "ad-network-campaign-name": ("campaign_name", "its name"),
    "ad-network-adset-id": ("adset_id", "the network's id of the ad set"),
    "ad-network-adset-name": ("adset_name", "its name"),
    "ad-network-ad-id": ("ad_id", "the network's id of the ad"),
    "ad-network-ad-name": ("ad_name", "its name"),
}

COMMON = {name: f"{{{macro}}}" for name, (macro, _) in _SAYS.items()}


def common_members(need: Need) -> tuple[Member, ...]:
    """The table of them, for a vendor that calls all of them that."""
    return tuple(Member(name, need, "string", what) for name, (_, what) in _SAYS.items())
