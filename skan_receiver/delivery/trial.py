"""A test send: what a destination would be sent, and, on demand, what it answers. It counts
nothing, and no ledger knows of it."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection, select

from skan_receiver.delivery import trial_events
from skan_receiver.delivery.destinations import Destination, EventDestination, ReportDestination
from skan_receiver.delivery.edition import edition
from skan_receiver.delivery.sending import Sender, Sent
from skan_receiver.delivery.templates import mask
from skan_receiver.delivery.transport import Request
from skan_receiver.delivery.trial_events import NothingToSend
from skan_receiver.delivery.window_spans import LENGTHS, containing
from skan_receiver.ingest import Incoming, candidate
from skan_receiver.protocol import Framework, judge, parse
from skan_receiver.storage import StoredPostback
from skan_receiver.storage.clock import clock
from skan_receiver.storage.columns import IDENTITY_BYTES, table
from skan_receiver.storage.place import Candidate
from skan_receiver.testing import Signer, encode

POSTBACK = table(StoredPostback)


@dataclass(frozen=True, slots=True)
class Trial:
    """What would be sent, with secrets and who it was masked; and what came of it, where it was."""

    request: Request
    sent: Sent | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        made = self.request
        return {
            "request": {
                "method": made.method,
                "url": made.url,
                "headers": dict(made.headers),
                "body": made.body.decode(errors="replace"),
            },
            "sent": None if self.sent is None else self._answered(self.sent),
        }

    @staticmethod
    def _answered(sent: Sent) -> dict[str, Any]:
        told = sent.logged(0)
        del told["delivery_id"]
        return {**told, "taken": sent.taken}


def trial(sender: Sender, destination: Destination, about: Any, *, send: bool) -> Trial:
    """The request for `about` (of `stored` or `simulated`); DeliveryFailed where none can be."""
    delivery = _delivery(destination, about)
    request = sender.request(destination, delivery, about, datetime.now(UTC))
    sent = sender.send(destination, delivery, about) if send else None
    # What is made up tells of nobody.
    hidden = sender.hidden(destination, about) if about.id else sender.secrets(destination)
    return Trial(_masked(request, hidden), sent)


def subject(
    connection: Connection,
    destination: Destination,
    stored_id: int | None = None,
    framework: Framework | None = None,
) -> Any:
    """What to try a destination with: of a report its last window that is over, as the numbers are
    now; else the stored postback, or event, of this number, or one that is made up."""
    if isinstance(destination, ReportDestination):
        return _window(connection, destination)
    if isinstance(destination, EventDestination):
        return trial_events.subject(connection, destination, stored_id)
    if stored_id is not None:
        return stored(connection, stored_id)
    return simulated(destination, framework)


def _window(connection: Connection, destination: ReportDestination) -> Any:
    now = clock(connection)
    span = containing(destination.length, now - LENGTHS[destination.length])
    made = edition(connection, destination, span, now)
    return SimpleNamespace(id=0, content=made.content, start=span.start, end=span.end, revision=0)


def stored(connection: Connection, stored_id: int) -> Any:
    """A stored postback, whether or not it counts: NothingToSend where there is none."""
    row = connection.execute(select(POSTBACK).where(POSTBACK.c.id == stored_id)).first()
    if row is None:
        raise NothingToSend(f"there is no postback {stored_id}: see `postbacks list`")
    return row


def simulated(destination: Destination, framework: Framework | None = None) -> Any:
    """A postback such as the destination might get, signed with a key made up for it: whoever
    checks Apple's signature will refuse it."""
    wanted = framework or _framework(destination)
    members: dict[str, Any] = {}
    if destination.apps:
        name = "app_id" if wanted is Framework.SKADNETWORK else "advertised_item_identifier"
        members[name] = destination.apps[0]
    if destination.ad_networks:
        name = "ad_network_id" if wanted is Framework.SKADNETWORK else "ad_network_identifier"
        members[name] = destination.ad_networks[0]
    signer = Signer()
    made = signer.skadnetwork if wanted is Framework.SKADNETWORK else signer.adattributionkit
    postback = parse(encode(made(**members)))
    now = datetime.now(UTC)
    incoming = Incoming(now, "simulator", postback.body)
    return _row(candidate(incoming, postback, judge(postback, signer.keys())), now)


def _framework(destination: Destination) -> Framework:
    """One that it has a URL for, and is not filtered away."""
    able = destination.frameworks or tuple(Framework)
    return next((one for one in able if destination.url_for(one)), Framework.SKADNETWORK)


def _row(made: Candidate, now: datetime) -> Any:
    return SimpleNamespace(
        **made.row, id=0, identity=made.key, received_at=now, endpoint=made.endpoint
    )


def _delivery(destination: Destination, about: Any) -> Any:
    """A delivery that is in no ledger, under a name of its own: a receiver that remembers names
    must not take the true one for a copy of this."""
    return SimpleNamespace(
        id=0,
        identity=secrets.token_bytes(IDENTITY_BYTES),
        stored_id=about.id,
        destination=destination.name,
        attempts=0,
        replays=0,
        sealed_ip=None,
    )


def _masked(request: Request, secret: Any) -> Request:
    return Request(
        mask(request.url, secret),
        mask(request.body.decode(errors="replace"), secret).encode(),
        {name: mask(value, secret) for name, value in request.headers.items()},
        request.method,
    )
