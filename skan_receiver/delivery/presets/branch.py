"""Branch, for ad networks."""

from skan_receiver.delivery.presets.parameters import with_ip
from skan_receiver.delivery.presets.preset import Member, Preset

BRANCH = Preset(
    name="branch",
    title="Branch",
    role="network forward",
    kind="relay",
    parameters=(with_ip("ip-address"),),
    definition={
        "url": "https://api2.branch.io/v1/skadnetwork",
        "frameworks": ["skadnetwork"],
        "endpoints": ["network"],
        "add": {
            "partner-campaign-id": "{campaign_id}",
            "partner-campaign-name": "{campaign_name}",
            "partner-ad-set-id": "{adset_id}",
            "partner-ad-set-name": "{adset_name}",
            "partner-ad-id": "{ad_id}",
            "partner-ad-name": "{ad_name}",
            "timestamp": "{received_at_s}",
        },
    },
    fields=(
        Member("partner-campaign-id", "optional", "string", "the network's id of the campaign"),
        Member("partner-campaign-name", "optional", "string", "its name"),
        Member("partner-ad-set-id", "optional", "string", "the network's id of the ad set"),
        Member("partner-ad-set-name", "optional", "string", "its name"),
        Member("partner-ad-id", "optional", "string", "the network's id of the ad"),
        Member("partner-ad-name", "optional", "string", "its name"),
        Member(
            "timestamp", "optional", "integer", "in seconds; in the page's example for version 4"
        ),
        Member("ip-address", "optional", "string", "the device's address, with `with_ip=yes`"),
    ),
    source=(
        "SKAN Postback API Spec, help.branch.io/developer-hub/skan-postback-api-spec.md, "
        "of 2026-08-20"
    ),
    confirmed="The page has ad networks post Apple's postback here, with their own names added.",
    notes=(
        "Branch must know the network's Apple id: tell the account manager. Not sent, though the "
        "page has them: `user-agent`, which is personal, `partner-creative-…` and `test`. No page "
        "has an address for AdAttributionKit."
    ),
)
