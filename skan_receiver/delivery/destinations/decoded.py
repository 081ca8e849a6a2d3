"""`decoded`: what a postback meant, one result each."""

import json
from typing import Any, Literal

from pydantic import Field, PrivateAttr, ValidationInfo, field_validator, model_validator

from skan_receiver.delivery.destinations.destination import Template, Tree
from skan_receiver.delivery.destinations.partner import OfAPartner
from skan_receiver.delivery.destinations.postbacks import OfPostbacks
from skan_receiver.delivery.templates import BodyTemplate, Secrets, Values
from skan_receiver.delivery.transport import Request
from skan_receiver.errors import DeliveryFailed

# What is sent where no body is written: everything but the postback's own bytes.
STANDARD: Tree = {
    name: f"{{{name}}}"
    for name in (
        *("delivery_id", "postback_id", "received_at", "framework", "version", "app_id"),
        *("ad_network_id", "window", "source_identifier", "skan_campaign_id", "conversion_type"),
        *("did_win", "fidelity_type", "source_app_id", "source_domain", "country"),
        *("interaction_type", "fine_value", "coarse_value", "verdict"),
        *("campaign_id", "campaign_name", "adset_id", "adset_name", "ad_id", "ad_name"),
        *("installed_from", "installed_to", "schema_version", "schema_hash", "certainty"),
        *("label", "words", "no_value", "events", "revenue_min", "revenue_max", "currency"),
        *("flags", "readings"),
    )
}


class Decoded(OfAPartner, OfPostbacks):
    """A JSON object for each postback, or what the URL's macros say by GET."""

    kind: Literal["decoded"] = "decoded"
    body: Tree = Field(None, repr=False)

    _body: BodyTemplate | None = PrivateAttr(None)

    @field_validator("body")
    @classmethod
    def _body_is_good(cls, body: Tree, info: ValidationInfo) -> Tree:
        if body is not None:
            BodyTemplate.parse(body, cls.allowed(info.data))
        return body

    @model_validator(mode="after")
    def _has_a_body(self) -> "Decoded":
        if self.method == "GET":
            if self.body is not None:
                raise ValueError("body: a GET has none; write it into the URL: ?cv={fine_value}")
            return self
        tree = STANDARD if self.body is None else self.body
        self._body = BodyTemplate.parse(tree, self.allowed(self.__dict__))
        return self

    def request(self, about: Any, values: Values, secrets: Secrets) -> Request:
        # Owed to another one of its name, perhaps, or before the partner had fewer networks.
        if not self.sees(getattr(about, "ad_network_id", None)):
            why = "it is of an ad network that is not the partner's"
            raise DeliveryFailed(why, permanent=True, kind="gone")
        return super().request(about, values, secrets)

    def content(self, _about: Any, values: Values, secrets: Secrets) -> bytes:
        assert self._body is not None
        return as_json(self._body.expand(values, secrets))

    @property
    def templates(self) -> tuple[Template, ...]:
        return (*super().templates, *filter(None, [self._body]))


def as_json(tree: Any) -> bytes:
    """A body as it goes out."""
    return json.dumps(tree, ensure_ascii=False, separators=(",", ":")).encode()
