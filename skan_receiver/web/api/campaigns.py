"""`/campaigns`: what ad networks call the ads behind identifiers."""

from datetime import date
from http import HTTPStatus
from typing import Annotated, Any

from flask.wrappers import Response
from flask_openapi.models.tag import Tag
from pydantic import BaseModel, ConfigDict, Field
from werkzeug.exceptions import NotFound

from skan_receiver.errors import ConfigurationError
from skan_receiver.storage import campaign_search
from skan_receiver.storage.campaign_csv import CAMPAIGN_IDS, contradictions
from skan_receiver.storage.campaign_import import changes, clashes, import_campaigns
from skan_receiver.storage.campaigns import Entry
from skan_receiver.web.api.blueprint import answer, bp
from skan_receiver.web.api.costs import Day, Network, Text
from skan_receiver.web.api.models import BigInt, FromRow, NetworkId
from skan_receiver.web.api.paging import MOST_ROWS, NEXT, ByNumber
from skan_receiver.web.api.problems import Fault, documented, faulty, problem
from skan_receiver.web.services import services

TAGS: list[Tag | dict[str, Any]] = [Tag(name="campaigns")]

Digits = Annotated[str, Field(pattern=r"^[0-9]{0,4}$")]


class Campaigns(ByNumber):
    """Which rows. What is left out does not narrow."""

    ad_network_id: NetworkId | None = None
    app_id: BigInt | None = Field(None, description="0: those of any app.")
    on: Day | None = Field(None, description="Those that run on this day.")


class Named(BaseModel):
    """What an ad network calls an ad; empty where it does not say."""

    campaign_id: Text = ""
    campaign_name: Text = ""
    adset_id: Text = ""
    adset_name: Text = ""
    ad_id: Text = ""
    ad_name: Text = ""
    channel: Text = ""
    tracker: Text = ""
    country: Text = Field("", description="The country that it targets.")


class Naming(Named):
    """The names behind one identifier for a span of days."""

    model_config = ConfigDict(extra="forbid")

    ad_network_id: Network
    app_id: BigInt = Field(0, description="0: any app.")
    source_identifier: Digits = Field("", description="Its last digits do. Or a campaign id:")
    skan_campaign_id: int = Field(0, ge=0, le=max(CAMPAIGN_IDS), description="Up to version 3.")
    starts_on: Day
    ends_on: Day | None = Field(None, description="The last day; null: it is still running.")

    def entry(self) -> Entry:
        """As it is stored."""
        return Entry(**self.model_dump())


class Namings(BaseModel):
    """Rows to add, or to put in the place of those of the same identifier and first day."""

    model_config = ConfigDict(extra="forbid")

    campaigns: list[Naming] = Field(max_length=MOST_ROWS)
    replace: bool = Field(False, description="Remove what is not here of the networks in it.")
    dry_run: bool = Field(False, description="Say what would change, and change nothing.")


class Campaign(FromRow, Named):
    """A row of the table."""

    id: int
    ad_network_id: str
    app_id: int
    source_identifier: str
    skan_campaign_id: int
    starts_on: date
    ends_on: date | None


class CampaignPage(BaseModel):
    """Some rows, in the order in which they came."""

    campaigns: list[Campaign]
    next_cursor: str | None = Field(description=NEXT)


class Changed(BaseModel):
    """How many rows were new, say something else now, are gone, and say the same."""

    added: int
    changed: int
    removed: int
    unchanged: int


class CampaignId(BaseModel):
    """A row by its number."""

    id: BigInt


@bp.get("/campaigns", tags=TAGS, responses={200: CampaignPage, **documented(422)})
def list_campaigns(query: Campaigns) -> Response:
    """The campaign table."""
    which = campaign_search.Which(
        ad_network_id=query.ad_network_id, app_id=query.app_id, on=query.on
    )
    with services().store.read() as connection:
        rows = campaign_search.find(
            connection, which, after=query.number or 0, limit=query.limit + 1
        )
    some, following = query.cut(rows)
    told = [Campaign.model_validate(row) for row in some]
    return answer(CampaignPage(campaigns=told, next_cursor=following))


@bp.put("/campaigns", tags=TAGS, responses={200: Changed, **documented(400, 415, 422)})
def put_campaigns(body: Namings) -> Response:
    """Name ads: all of it is kept, or nothing. One of the same network, app, identifier and first
    day takes the place of the one that was; from its first day on, names are the new ones."""
    if faults := _faults(body.campaigns):
        return faulty(faults)
    entries, store = [one.entry() for one in body.campaigns], services().store
    try:
        if body.dry_run:
            with store.read() as connection:
                done = changes(connection, entries, replace=body.replace)
        else:
            done = import_campaigns(store, entries, replace=body.replace)
    except ConfigurationError as error:
        # Between what is sent and what is there.
        faults = [Fault(where="campaigns", what=line) for line in str(error).splitlines()]
        return problem(422, str(error), errors=faults)
    return answer(Changed(**done.counts))


@bp.delete("/campaigns/<int:id>", tags=TAGS, responses={204: None, **documented(404, 422)})
def remove_campaign(path: CampaignId) -> Response:
    """Forget a row: what it named has no names then, nor in what is sent from now on."""
    if not campaign_search.remove_campaign(services().store, path.id):
        raise NotFound(f"There is no campaign {path.id}.")
    return Response(status=HTTPStatus.NO_CONTENT)


def _faults(rows: list[Naming]) -> list[Fault]:
    """What is wrong between what is right each."""
    faults = [
        Fault(where=f"campaigns.{place}.{column}", what=what)
        for place, row in enumerate(rows)
        for column, what in contradictions(row.model_dump())
    ]
    if faults:
        return faults
    return [
        Fault(
            where=f"campaigns.{other}.starts_on",
            what=f"campaigns.{one} names the same identifier on the same days; end it before",
        )
        for one, other in clashes([row.entry() for row in rows])
    ]
