"""`relay`: the bytes Apple sent, so that whoever receives them can verify the signature too."""

import json
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, PrivateAttr, ValidationInfo, field_validator, model_validator

from skan_receiver.delivery.destinations.destination import Leaf, Template
from skan_receiver.delivery.destinations.postbacks import OfPostbacks
from skan_receiver.delivery.templates import BodyTemplate, Secrets, TemplateRefused, Values

# Members that Apple sends: what is added must not pass for one of them.
APPLES = {
    "version", "ad-network-id", "campaign-id", "source-identifier", "transaction-id", "app-id",
    "attribution-signature", "redownload", "source-app-id", "source-domain", "fidelity-type",
    "did-win", "conversion-value", "coarse-conversion-value", "postback-sequence-index",
    "country-code", "jws-string", "ad-interaction-type",
}  # fmt: skip


class Relay(OfPostbacks):
    """A byte-exact copy. With `add`, what a network knows of the ad beside it, in one object: the
    bytes before it stay as they are. By GET, what the URL's macros say, and no body."""

    kind: Literal["relay"] = "relay"
    # The device's address is kept, encrypted, until this has been delivered.
    needs_ip: bool = False
    add: dict[str, Leaf] = Field({}, repr=False)

    _add: BodyTemplate | None = PrivateAttr(None)

    @field_validator("add")
    @classmethod
    def _adds_what_is_not_apples(cls, add: dict[str, Leaf], info: ValidationInfo) -> Any:
        if apples := sorted(APPLES & set(add)):
            raise ValueError(f"{', '.join(apples)}: Apple's own, and sent as it is; leave out")
        try:
            BodyTemplate.parse(add, cls.allowed(info.data))
        except TemplateRefused as refused:
            raise refused.at(refused.where.replace("body", "add", 1)) from None
        return add

    @model_validator(mode="after")
    def _adds_to_a_body(self) -> "Relay":
        if self.add and self.method == "GET":
            raise ValueError("add: a GET has no body to add to; write ?c={campaign_id} in the URL")
        if self.add:
            self._add = BodyTemplate.parse(self.add, self.allowed(self.__dict__))
        return self

    def content(self, about: Any, values: Values, secrets: Secrets) -> bytes:
        if self._add is None:
            return bytes(about.body)
        return joined(bytes(about.body), self._add.expand(values, secrets) or {})

    @property
    def templates(self) -> tuple[Template, ...]:
        return (*super().templates, *filter(None, [self._add]))


def joined(body: bytes, more: Mapping[str, Any]) -> bytes:
    """Apple's object with more members at its end. What it has already is left as it is: a
    second member of the same name would mean one thing to one parser, and another to the next."""
    known = json.loads(body)
    fresh = {name: value for name, value in more.items() if name not in known}
    if not fresh:
        return body
    added = json.dumps(fresh, ensure_ascii=False, separators=(",", ":")).encode()
    return body.rstrip()[:-1] + (b"," if known else b"") + added[1:]
