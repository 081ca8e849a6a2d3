"""One try: what is to be sent, sent, and what came of it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import structlog
from sqlalchemy import Row
from standardwebhooks import Webhook

from skan_receiver.delivery.addresses import target
from skan_receiver.delivery.destinations import Destination, ReportDestination
from skan_receiver.delivery.files import Files
from skan_receiver.delivery.known import Known
from skan_receiver.delivery.templates import mask
from skan_receiver.delivery.transport import Answer, Request, Transport, plain
from skan_receiver.errors import ConfigurationError, DeliveryFailed, StoreUnavailable

log = structlog.get_logger("delivery")


@dataclass(frozen=True, slots=True)
class Sent:
    """How a try ended: an answer, or the reason why there is none."""

    at: datetime
    url: str  # masked
    duration_ms: int
    answer: Answer | None = None
    failure: DeliveryFailed | None = None
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def status(self) -> int | None:
        return self.answer.status if self.answer else None

    @property
    def taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def error(self) -> str:
        return mask(str(self.failure), self.secrets) if self.failure else ""

    def logged(self, delivery_id: int) -> dict[str, Any]:
        """A row of `attempt`."""
        return {
            "delivery_id": delivery_id,
            "at": self.at,
            "status": self.status,
            "duration_ms": self.duration_ms,
            "error_class": self.failure.kind if self.failure else _class(self.status),
            "error": self.error,
            "answer": mask(self.answer.excerpt, self.secrets) if self.answer else "",
            "url": self.url,
        }


class Sender:
    """Sends to any destination, from any number of threads."""

    def __init__(self, transport: Transport, known: Known, files: Files | None = None) -> None:
        self._transport, self._known, self._files = transport, known, files

    @property
    def longest_seconds(self) -> float:
        """How long a try may take."""
        return self._transport.exchange_seconds

    def send(self, destination: Destination, delivery: Row[Any], about: Row[Any] | None) -> Sent:
        """One try, whatever happens: never raises."""
        at, begun = datetime.now(UTC), time.monotonic()
        secrets: Mapping[str, str] = {}
        url = ""
        answer, failure = None, None
        try:
            secrets = self.hidden(destination, about)
            request = self.request(destination, delivery, about, at)
            if isinstance(destination, ReportDestination) and destination.file:
                url, answer = request.url, self._write(request)
            else:
                url = mask(target(request.url).masked, secrets)
                answer = self._transport.send(request)
        except DeliveryFailed as failed:
            failure = failed
        except ConfigurationError as error:  # a key of ours was lost, and may be found
            failure = DeliveryFailed(str(error), kind="secret")
        except StoreUnavailable as error:
            failure = DeliveryFailed(
                f"what was to be sent could not be read: {error}", kind="store"
            )
        except Exception as error:  # a delivery that breaks its kind must not break the others
            log.exception("broke", delivery=delivery.id, destination=destination.name)
            failure = DeliveryFailed(plain(f"{type(error).__name__}: {error}"))
        took = round((time.monotonic() - begun) * 1000)
        return Sent(at, url, took, answer, failure, secrets)

    def request(
        self, destination: Destination, delivery: Row[Any], about: Row[Any] | None, at: datetime
    ) -> Request:
        """What would be sent; DeliveryFailed where nothing can be."""
        if about is None:
            raise DeliveryFailed("what it is about is no longer kept", permanent=True, kind="gone")
        secrets = self._known.secrets(destination)
        if missing := sorted(destination.secret_names - secrets.keys()):
            # Whoever forgot it will set it: what waits until then is not lost.
            raise DeliveryFailed(f"the secret {missing[0]!r} is not set", kind="secret")
        values = self._known.values(destination, delivery, about)
        made = destination.request(about, values, secrets)
        name = self._known.name(destination, delivery, about)
        own = _webhook(destination, delivery, name, made.body, secrets, at)
        return replace(made, headers={**made.headers, **own})

    def secrets(self, destination: Destination) -> Mapping[str, str]:
        """What must not be shown of what is sent to it."""
        return self._known.secrets(destination)

    def hidden(self, destination: Destination, about: Row[Any] | None) -> Mapping[str, str]:
        """What must not be read in what is written down of a try, or shown: secrets, and who it
        was."""
        secrets = self._known.secrets(destination)
        if about is None:
            return secrets
        return {**self._known.private(destination, about), **secrets}

    def _write(self, request: Request) -> Answer:
        if self._files is None:
            raise DeliveryFailed("this process has no folder for files", kind="file")
        return self._files.send(request)

    def close(self) -> None:
        """Cut off what is under way."""
        self._transport.close()


def _webhook(
    destination: Destination,
    delivery: Row[Any],
    name: str,
    body: bytes,
    secrets: Mapping[str, str],
    at: datetime,
) -> dict[str, str]:
    """The headers of Standard Webhooks; signed where the destination says so.

    https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    """
    headers = {"webhook-id": name, "webhook-timestamp": str(int(at.timestamp()))}
    if delivery.replays:
        headers["webhook-replay"] = str(delivery.replays)
    if destination.sign:
        # Of bytes the library would sign their repr; what we sign is JSON, and so UTF-8.
        text = body.decode()
        headers["webhook-signature"] = " ".join(
            _signer(secret, secrets).sign(name, at, text) for secret in destination.sign
        )
    return headers


def _signer(name: str, secrets: Mapping[str, str]) -> Webhook:
    try:
        return Webhook(secrets[name])
    except (RuntimeError, ValueError):
        raise DeliveryFailed(
            f"the secret {name!r} signs nothing: Standard Webhooks wants whsec_ and base64",
            kind="secret",
        ) from None


def _class(status: int | None) -> str:
    """One word for an answer that is none of 2xx."""
    if status is None or 200 <= status < 300:
        return ""
    return {3: "redirect", 4: "refused", 5: "broken"}.get(status // 100, "protocol")
