"""Adjust, for ad networks: the form it calls Apple payload."""

from skan_receiver.delivery.presets.parameters import KEY
from skan_receiver.delivery.presets.preset import Member, Parameter, Preset

ADJUST = Preset(
    name="adjust",
    title="Adjust",
    role="network forward",
    kind="relay",
    parameters=(
        Parameter(
            "token",
            "the sk_network_token that Adjust gave the network",
            "a1b2c3…",
            KEY,
            secret=True,
        ),
    ),
    definition={
        "url": "https://app.adjust.com/skadnetwork/{secret:token}",
        "frameworks": ["skadnetwork"],
        "endpoints": ["network"],
        "add": {
            "adjust-tracker": "{tracker}",
            "adjust-campaign": "{campaign_name}",
            "adjust-campaign-id": "{campaign_id}",
            "adjust-adgroup": "{adset_name}",
            "adjust-adgroup-id": "{adset_id}",
            "adjust-creative": "{ad_name}",
            "adjust-creative-id": "{ad_id}",
            "timestamp": "{received_at_s}",
        },
    },
    fields=(
        Member("adjust-tracker", "not said", "string", "the token of the app's link at Adjust"),
        Member("adjust-campaign", "not said", "string", "the campaign's name"),
        Member("adjust-campaign-id", "not said", "string", "its id"),
        Member("adjust-adgroup", "not said", "string", "the ad group's name"),
        Member("adjust-adgroup-id", "not said", "string", "its id"),
        Member("adjust-creative", "not said", "string", "the creative's name"),
        Member("adjust-creative-id", "not said", "string", "its id"),
        Member("timestamp", "not said", "integer", "when the postback arrived, in seconds"),
    ),
    source="Apple payload structure, help.adjust.com apple-payload-structure",
    confirmed="The page has ad networks send Apple's postback here, with their own names added.",
    notes=(
        "“Ensure that all parameters are populated”: fill `tracker` and the names in the campaign "
        "table. No page has an address for AdAttributionKit."
    ),
)
