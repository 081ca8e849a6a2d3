"""Results out: destinations, the ledger of what is owed them, and one guarded transport."""

from skan_receiver.delivery.deliver import Deliverer
from skan_receiver.delivery.destinations import Destination
from skan_receiver.delivery.ledger import owe
from skan_receiver.delivery.load import Destinations, load_destinations
from skan_receiver.delivery.retry import Retry
from skan_receiver.delivery.transport import Answer, Request, Transport

__all__ = [
    "Answer",
    "Deliverer",
    "Destination",
    "Destinations",
    "Request",
    "Retry",
    "Transport",
    "load_destinations",
    "owe",
]
