"""`/costs`: what ads cost."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from flask.wrappers import Response
from flask_openapi.models.tag import Tag
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from skan_receiver.storage import cost_cells as cells
from skan_receiver.storage.campaign_csv import network
from skan_receiver.storage.cost_csv import NAMELESS, TWICE
from skan_receiver.storage.costs import Spent, Which, find, import_costs, repeated, spent_of
from skan_receiver.web.api.blueprint import answer, bp
from skan_receiver.web.api.models import BigInt, NetworkId
from skan_receiver.web.api.paging import MOST_ROWS, NEXT, ByNumber
from skan_receiver.web.api.problems import Fault, documented, faulty
from skan_receiver.web.services import services

TAGS: list[Tag | dict[str, Any]] = [Tag(name="costs")]

Day = Annotated[date, AfterValidator(cells.sane)]
Count = Annotated[int, Field(ge=0, le=cells.LARGEST_COUNT)]


# Texts, each read as a cell of a file is.
_Long = Field(max_length=cells.LONGEST)
Text = Annotated[str, AfterValidator(cells.text), _Long]
Zone = Annotated[str, AfterValidator(cells.zone), _Long]
Network = Annotated[str, AfterValidator(network), Field(pattern=r"^[A-Za-z0-9.-]{1,200}$")]
Country = Annotated[str, AfterValidator(cells.country), Field(pattern=r"^([A-Za-z]{2})?$")]
Currency = Annotated[str, AfterValidator(cells.currency), Field(pattern=r"^[A-Za-z]{3}$")]


class Wanted(ByNumber):
    """Which costs. What is left out does not narrow."""

    account: Text | None = None
    app_id: BigInt | None = None
    ad_network_id: NetworkId | None = None
    since: Day | None = None
    until: Day | None = Field(None, description="The last day, included.")


class Stated(BaseModel):
    """What one campaign cost on one day of its account."""

    model_config = ConfigDict(extra="forbid")

    day: Day = Field(description="In the time zone of the account.")
    zone: Zone = Field(description="That time zone, as in Europe/Berlin.")
    account: Text = Field("", description="Whose bill it is, where a network has several.")
    ad_network_id: Network
    app_id: BigInt
    campaign_id: Text = ""
    campaign_name: Text = ""
    country: Country = ""
    cost: Decimal = Field(
        ge=0, le=cells.LARGEST_COST, decimal_places=cells.DIGITS, description="As in 12.50."
    )
    currency: Currency
    impressions: Count | None = None
    clicks: Count | None = None
    installs: Count | None = Field(None, description="As the network counts them.")

    def spent(self) -> Spent:
        """As it is stored."""
        said = self.model_dump(exclude={"cost"})
        return Spent(**said, micros=cells.of_decimal(self.cost))


class Costs(BaseModel):
    """Costs to state, or to state anew."""

    model_config = ConfigDict(extra="forbid")

    costs: list[Stated] = Field(max_length=MOST_ROWS)


class Cost(BaseModel):
    """A stored cost."""

    id: int
    day: date
    zone: str
    account: str
    ad_network_id: str
    app_id: int
    campaign_id: str
    campaign_name: str
    country: str
    cost: str = Field(description="A decimal, exactly.")
    currency: str
    impressions: int | None
    clicks: int | None
    installs: int | None


class CostPage(BaseModel):
    """Some costs, in the order in which they came."""

    costs: list[Cost]
    next_cursor: str | None = Field(description=NEXT)


class Imported(BaseModel):
    """How many were new, how many say something else now, and how many say the same."""

    added: int
    changed: int
    unchanged: int


@bp.get("/costs", tags=TAGS, responses={200: CostPage, **documented(422)})
def list_costs(query: Wanted) -> Response:
    """What ads cost."""
    which = Which(
        account=query.account,
        ad_network_id=query.ad_network_id,
        app_id=query.app_id,
        first=query.since,
        last=query.until,
    )
    with services().store.read() as connection:
        rows = find(connection, which, after=query.number or 0, limit=query.limit + 1)
    some, following = query.cut(rows)
    told = [Cost(id=row.id, **spent_of(row).as_dict()) for row in some]
    return answer(CostPage(costs=told, next_cursor=following))


@bp.put("/costs", tags=TAGS, responses={200: Imported, **documented(400, 415, 422)})
def put_costs(body: Costs) -> Response:
    """State costs: all of them are kept, or none. One of the same account, day, network, app,
    campaign and country takes the place of the one that was."""
    spent = [one.spent() for one in body.costs]
    faults = [
        Fault(where=f"costs.{place}.campaign_id", what=NAMELESS)
        for place, row in enumerate(spent)
        if row.campaign_name and not row.campaign_id
    ]
    for one, other in repeated(spent):
        what = f"costs.{one} is of {TWICE}; add them up, or name their accounts"
        faults.append(Fault(where=f"costs.{other}.day", what=what))
    if faults:
        return faulty(faults)
    counts = import_costs(services().store, spent, replace=False).counts
    return answer(Imported(**{name: counts[name] for name in Imported.model_fields}))
