"""Results out: destinations, the ledger of what is owed them, and one guarded transport."""

from skan_receiver.delivery.deliver import Deliverer
from skan_receiver.delivery.destinations import Destination
from skan_receiver.delivery.known import Known
from skan_receiver.delivery.owing import Owed, owe
from skan_receiver.delivery.registry import Entry, settling
from skan_receiver.delivery.retry import Retry
from skan_receiver.delivery.sending import Sender
from skan_receiver.delivery.transport import Answer, Request, Transport
from skan_receiver.delivery.vault import Vault

__all__ = [
    "Answer",
    "Deliverer",
    "Destination",
    "Entry",
    "Known",
    "Owed",
    "Request",
    "Retry",
    "Sender",
    "Transport",
    "Vault",
    "owe",
    "settling",
]
