"""Any receiver: each postback as Apple sent it, signed."""

from skan_receiver.delivery.presets.parameters import SIGNING, URL
from skan_receiver.delivery.presets.preset import Preset
from skan_receiver.delivery.presets.webhook import WEBHOOK

WEBHOOK_RELAY = Preset(
    name="webhook-relay",
    title="Webhook with postbacks",
    role="result",
    kind="relay",
    parameters=(URL, SIGNING),
    definition={"url": "<url>", "sign": ["signing"]},
    source=WEBHOOK.source,
    confirmed=WEBHOOK.confirmed,
    notes="Goes out as Apple sent it, so that Apple's signature can be checked beside ours.",
)
