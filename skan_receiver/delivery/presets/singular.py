"""The open SKAN standard that Singular wrote: towards an ad network that speaks it."""

from skan_receiver.delivery.presets.parameters import AD_NETWORKS, PARTNER, URL
from skan_receiver.delivery.presets.preset import Member, Parameter, Preset

SINGULAR = Preset(
    name="singular",
    title="Ad networks that speak Singular's open SKAN standard",
    role="result",
    kind="decoded",
    parameters=(
        URL,
        Parameter("partner", "the ad network's name", PARTNER.example, PARTNER.pattern),
        AD_NETWORKS,
    ),
    definition={
        # Revenue and events are there where a schema says so.
        "url": "<url>?attribution_type=skadnetwork&skan_postback={postback_base64}"
        "&app_id={app_id}{&revenue,events}",
        "method": "GET",
        "partner": "<partner>",
        "ad_networks": ["<ad_networks>"],
        "frameworks": ["skadnetwork"],
    },
    fields=(
        Member("attribution_type", "required", "string", "always `skadnetwork`"),
        Member("skan_postback", "required", "string", "what Apple sent, in base64"),
        Member("app_id", "not said", "integer", "the advertised app"),
        Member("revenue", "optional", "number", "the middle of the range, as a number"),
        Member("events", "optional", "list", "what happened, as JSON: each event with its range"),
    ),
    source="SKAN standard v1.1, section 5.1, github.com/singular-labs/skan",
    confirmed=(
        "unconfirmed by vendor: the standard says what an MMP sends to an ad network; whether a "
        "network takes it is for that network to say"
    ),
    notes=(
        "Not a way into Singular: no page has one. The standard leaves open how a range of revenue "
        "and the events are written, whether its base64 is URL-safe (ours is percent-encoded), and "
        "its examples are queries. Members of the network's own are written into the "
        "destination's URL afterwards, keys among them as {secret:name}."
    ),
)
