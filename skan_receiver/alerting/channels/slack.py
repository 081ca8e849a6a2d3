"""A message in Slack, and in whatever else takes its incoming webhooks (Mattermost, Rocket.Chat).

https://api.slack.com/messaging/webhooks
"""

import json

from skan_receiver.alerting.channels.kind import Address, Kind, Wires, post
from skan_receiver.alerting.notice import Notice
from skan_receiver.delivery.transport import Request

# https://api.slack.com/reference/surfaces/formatting#escaping
ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def send(wires: Wires, address: Address, notice: Notice) -> None:
    """Plain text; what is in it names no one's channel."""
    body = json.dumps({"text": notice.text.translate(ESCAPES)}, ensure_ascii=False)
    post(wires, Request(address.url, body.encode(), {"Content-Type": "application/json"}))


SLACK = Kind("slack", "Slack", ("url",), (), send)
