"""How people are told. To add a kind is one file and one line here."""

from types import MappingProxyType

from skan_receiver.alerting.channels.kind import Kind
from skan_receiver.alerting.channels.mail import EMAIL
from skan_receiver.alerting.channels.slack import SLACK
from skan_receiver.alerting.channels.webhook import WEBHOOK

# The table of contents.
KINDS: MappingProxyType[str, Kind] = MappingProxyType(
    {kind.name: kind for kind in (WEBHOOK, SLACK, EMAIL)}
)
