"""What a kind of channel is."""

from collections.abc import Callable
from dataclasses import dataclass

from skan_receiver.alerting.notice import Notice
from skan_receiver.config import Settings
from skan_receiver.delivery import Transport
from skan_receiver.delivery.transport import Request
from skan_receiver.errors import DeliveryFailed


@dataclass(frozen=True, slots=True)
class Wires:
    """What a channel sends with."""

    transport: Transport
    settings: Settings


@dataclass(frozen=True, slots=True)
class Address:
    """Where to, opened for sending; nothing of it is logged or shown."""

    url: str = ""
    secret: str = ""  # that signs
    to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kind:
    """One way to tell people; `send` raises DeliveryFailed with the reason."""

    name: str
    title: str
    needs: tuple[str, ...]  # fields of Address that must be there
    may: tuple[str, ...]  # and those that may be
    send: Callable[[Wires, Address, Notice], None]


def post(wires: Wires, request: Request) -> None:
    """Send it; DeliveryFailed where it was not taken."""
    answered = wires.transport.send(request)
    if not 200 <= answered.status < 300:
        said = f"it answered {answered.status}: {answered.excerpt[:200]}".rstrip(": ")
        raise DeliveryFailed(said, kind="refused")
