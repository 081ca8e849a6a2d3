"""Google Analytics 4: one event for each postback, by the Measurement Protocol."""

from skan_receiver.delivery.presets.parameters import AD_NETWORKS, KEY
from skan_receiver.delivery.presets.preset import Member, Parameter, Preset

_TAG = "[A-Za-z0-9][A-Za-z0-9 ._-]{0,99}"

GA4 = Preset(
    name="ga4",
    title="Google Analytics 4",
    role="result",
    kind="decoded",
    parameters=(
        Parameter(
            "firebase_app_id",
            "the Firebase app id of the stream",
            "1:1234567890:ios:321abc456def7890",
            "1:[0-9]{4,20}:ios:[0-9a-f]{8,64}",
        ),
        Parameter(
            "api-secret",
            "a secret of the stream: Measurement Protocol > Create",
            "Zx8vQk…",
            KEY,
            secret=True,
        ),
        Parameter("app_id", "the App Store id of the stream's app", "525463029", "[0-9]{1,19}"),
        Parameter(
            AD_NETWORKS.name,
            "the ad-network ids of one source, with commas between them",
            AD_NETWORKS.example,
            AD_NETWORKS.pattern,
        ),
        Parameter("source", "what Analytics is to call them", "facebook", _TAG),
        Parameter("medium", "the medium, by Analytics' channel groups", "cpc", _TAG, default="cpc"),
    ),
    definition={
        "url": "https://www.google-analytics.com/mp/collect"
        "?firebase_app_id=<firebase_app_id>&api_secret={secret:api-secret}",
        "partner": "own",
        "apps": ["<app_id>"],
        "ad_networks": ["<ad_networks>"],
        "frameworks": ["skadnetwork"],
        # Apple sends these for the ad that won alone; what networks get has the others in it.
        "endpoints": ["developer"],
        "body": {
            "app_instance_id": "{digits}",
            # Microseconds, of which we know thousands. As text: a macro alone is the only number
            # there is. The reference has a number; Google's own event builder sends text.
            "timestamp_micros": "{received_at_ms}000",
            "events": [
                {
                    "name": "campaign_details",
                    "params": {
                        "source": "<source>",
                        "medium": "<medium>",
                        # A postback has one of the two, by its version.
                        "campaign_id": "{skan_campaign_id}{source_identifier}",
                        "campaign": "{campaign_name}",
                    },
                }
            ],
        },
    },
    fields=(
        Member("app_instance_id", "required", "string", "random digits, new for each postback"),
        Member(
            "timestamp_micros", "optional", "number", "when it arrived; sent as text, see above"
        ),
        Member("source", "required", "string", "as in manual tagging; optional for Google's own"),
        Member("medium", "required", "string", "the same"),
        Member("campaign_id", "required", "string", "what Apple's postback has"),
        Member("campaign", "optional", "string", "the campaign's name"),
    ),
    source=(
        "[GA4] Send SKAdNetwork postbacks to Google Analytics, "
        "support.google.com/analytics/answer/13167628"
    ),
    confirmed=(
        "The page has an app's developer with “an in-house solution” send this; Analytics itself "
        "cannot be named to Apple."
    ),
    notes=(
        "One destination for each source, or all networks would be called the same. It gets the "
        "developer's copies, which Apple sends for the ad that won. The answer is 2xx whatever is "
        "sent, so a delivery that is done proves nothing; it takes what is two days old at most. "
        "The reference has `timestamp_micros` as a number; it is sent as text, as by Google's own "
        "event builder. The page goes on after `campaign`, and no text we have does: how "
        "conversion values are sent is not known, and none is. No page has it for "
        "AdAttributionKit."
    ),
)
