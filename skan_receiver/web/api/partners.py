"""`/partners`: whom we exchange data with, and what of ours each of them reaches."""

from datetime import UTC, datetime
from typing import Any

from flask.wrappers import Response
from flask_openapi.models.tag import Tag
from pydantic import BaseModel, Field

from skan_receiver.delivery import partners as known
from skan_receiver.delivery import registry
from skan_receiver.storage import apikeys
from skan_receiver.web.api.blueprint import answer, bp
from skan_receiver.web.api.models import FromRow
from skan_receiver.web.services import services

TAGS: list[Tag | dict[str, Any]] = [Tag(name="destinations")]


class Reached(BaseModel):
    """A destination of a partner's."""

    name: str
    kind: str
    state: str = Field(description="In words: active, paused, failing.")


class Held(FromRow):
    """A key of a partner's, without what is secret of it."""

    id: int
    name: str
    prefix: str


class Partner(BaseModel):
    """A network or MMP."""

    name: str
    ad_networks: list[str] = Field(description="By their destinations: they see no other's.")
    destinations: list[Reached]
    keys: list[Held] = Field(description="Those that are good now.")


class Partners(BaseModel):
    """All of them, by name."""

    partners: list[Partner]


@bp.get("/partners", tags=TAGS, responses={200: Partners})
def list_partners() -> Response:
    """Whom destinations and keys name as a partner. We ourselves (`own`) are none."""
    store = services().store
    with store.read() as connection:
        entries, _ = registry.readable(connection)
    found = known.partners(entries, apikeys.good_keys(store, datetime.now(UTC)))
    return answer(Partners(partners=[_told(partner) for partner in found]))


def _told(partner: known.Partner) -> Partner:
    return Partner(
        name=partner.name,
        ad_networks=sorted(partner.ad_networks),
        destinations=[
            Reached(name=one.name, kind=one.destination.kind, state=one.state)
            for one in partner.destinations
        ],
        keys=[Held.model_validate(key) for key in partner.keys],
    )
