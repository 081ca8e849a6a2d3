"""JSON to an address of one's own, as Standard Webhooks have it.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import json

from standardwebhooks import Webhook

from skan_receiver.alerting.channels.kind import Address, Kind, Wires, post
from skan_receiver.alerting.notice import Notice
from skan_receiver.delivery.transport import Request
from skan_receiver.errors import DeliveryFailed


def send(wires: Wires, address: Address, notice: Notice) -> None:
    """Signed where there is a secret."""
    body = json.dumps(notice.as_dict(), ensure_ascii=False)
    headers = {
        "Content-Type": "application/json",
        "webhook-id": notice.id,
        "webhook-timestamp": str(int(notice.at.timestamp())),
    }
    if address.secret:
        signature = signer(address.secret).sign(notice.id, notice.at, body)
        headers["webhook-signature"] = signature
    post(wires, Request(address.url, body.encode(), headers))


def signer(secret: str) -> Webhook:
    """DeliveryFailed where it signs nothing."""
    try:
        return Webhook(secret)
    except (RuntimeError, ValueError):
        said = "the secret signs nothing: Standard Webhooks wants whsec_ and base64"
        raise DeliveryFailed(said, permanent=True, kind="secret") from None


WEBHOOK = Kind("webhook", "Webhook", ("url",), ("secret",), send)
