"""Any receiver: what each postback meant, signed."""

from skan_receiver.delivery.presets.parameters import PARTNER, SIGNING, SOME_AD_NETWORKS, URL
from skan_receiver.delivery.presets.preset import Preset

WEBHOOK = Preset(
    name="webhook",
    title="Webhook with results",
    role="result",
    kind="decoded",
    parameters=(URL, SIGNING, PARTNER, SOME_AD_NETWORKS),
    definition={
        "url": "<url>",
        "sign": ["signing"],
        "partner": "<partner>",
        "ad_networks": ["<ad_networks>"],
    },
    source=(
        "Standard Webhooks, github.com/standard-webhooks/standard-webhooks "
        "spec/standard-webhooks.md"
    ),
    confirmed="The specification is open: whoever has the key can check what arrives.",
    notes="Every member is a macro's name: see docs/destinations.md.",
)
