"""Airbridge, for ad networks."""

from skan_receiver.delivery.presets.parameters import WORD, with_ip
from skan_receiver.delivery.presets.preset import Member, Parameter, Preset

AIRBRIDGE = Preset(
    name="airbridge",
    title="Airbridge",
    role="network forward",
    kind="relay",
    parameters=(
        Parameter("channel", "the network's channel id at Airbridge", "adnetwork_abc", WORD),
        with_ip("ip"),
    ),
    definition={
        "url": "https://postback.airbridge.io/skadnetwork/v1",
        "frameworks": ["skadnetwork"],
        "endpoints": ["network"],
        "add": {
            "attributed-channel": "<channel>",
            "attributed-campaign": "{campaign_name}",
            "attributed-campaign-id": "{campaign_id}",
        },
    },
    fields=(
        Member("attributed-channel", "required", "string", "the network's channel id"),
        Member(
            "attributed-campaign",
            "optional",
            "string",
            "the campaign's name; one edition of the guide requires it",
        ),
        Member("attributed-campaign-id", "optional", "string", "its id; required by one edition"),
        Member(
            "ip",
            "optional",
            "string",
            "the device's address, with `with_ip=yes`; required by one edition, not in the other",
        ),
    ),
    source=(
        "SKAdNetwork Integration Guide, help.airbridge.io/en/guides/skadnetwork-integration-guide "
        "and /en/developers/integration-guide-skadnetwork"
    ),
    confirmed=(
        "unconfirmed by vendor: both editions also require the postback's timestamp, whose name "
        "and unit are in no text we have; so it is not sent"
    ),
    notes=(
        "It answers 200. Names for the levels below a campaign are in no text we have. No page "
        "has an address for AdAttributionKit."
    ),
)
