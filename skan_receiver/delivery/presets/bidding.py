"""Whoever buys ads: what a day's installs were worth, by where they came from."""

from skan_receiver.delivery.presets.parameters import PARTNER, SIGNING, SOME_AD_NETWORKS, URL
from skan_receiver.delivery.presets.preset import Preset
from skan_receiver.delivery.presets.webhook import WEBHOOK

BIDDING = Preset(
    name="bidding",
    title="Report for bidding",
    role="report",
    kind="report",
    parameters=(URL, SIGNING, PARTNER, SOME_AD_NETWORKS),
    definition={
        "url": "<url>",
        "sign": ["signing"],
        "partner": "<partner>",
        "ad_networks": ["<ad_networks>"],
        "report": "results",
        "length": "day",
        "basis": "install",
        "by": ["source_identifier", "source_app_id", "country"],
    },
    source=WEBHOOK.source,
    confirmed="Ours, as is what it says; signed as an open specification has it.",
    notes="A day of installs is corrected as long as postbacks of it can arrive.",
)
