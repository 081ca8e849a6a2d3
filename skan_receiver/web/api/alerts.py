"""`/alerts`: what is not well, from which numbers on, and who is told."""

from contextlib import closing
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal

from flask.wrappers import Response
from flask_openapi.models.tag import Tag
from pydantic import BaseModel, ConfigDict, Field
from werkzeug.exceptions import NotFound

from skan_receiver.alerting import book, telling, thresholds
from skan_receiver.alerting.book import NAME, ChannelRefused, UnknownChannel, Wanted
from skan_receiver.alerting.channels.kind import Wires
from skan_receiver.alerting.thresholds import LimitsRefused, UnknownRule
from skan_receiver.errors import DeliveryFailed
from skan_receiver.storage import alerts
from skan_receiver.web.api.blueprint import answer, bp
from skan_receiver.web.api.models import FromRow
from skan_receiver.web.api.paging import NEXT, ByNumber
from skan_receiver.web.api.problems import Fault, documented, problem
from skan_receiver.web.services import services
from skan_receiver.worker import transport

TAGS: list[Tag | dict[str, Any]] = [Tag(name="alerts")]

Text = Annotated[str, Field(max_length=book.LONGEST)]


class Which(ByNumber):
    """Which alerts. Those that are open come all at once."""

    state: Literal["open", "resolved"] = "open"


class Alert(FromRow):
    """Something that a rule found."""

    id: int
    rule: str
    subject: str
    severity: str
    message: str
    value: float | None = Field(description="The number that was too large.")
    since: datetime
    seen_at: datetime = Field(description="When it was last found so.")
    told_at: datetime | None
    resolved_at: datetime | None


class Alerts(BaseModel):
    """Some alerts: the open ones by severity, the others the newest first."""

    checked_at: datetime | None = Field(description="When the worker last looked; null: never.")
    alerts: list[Alert]
    next_cursor: str | None = Field(description=NEXT)


class NamedRule(BaseModel):
    """A rule by its name."""

    rule: str = Field(pattern=r"^[a-z_]{1,40}$")


class Set(BaseModel):
    """How a rule is to be; limits that are left out are as usual."""

    model_config = ConfigDict(extra="forbid")

    limits: dict[str, float] = Field({}, max_length=20, examples=[{"points": 20}])
    is_off: bool = False


class Rule(BaseModel):
    """What is looked for, and from which numbers on it is told."""

    name: str
    title: str
    says: str
    remedy: str
    is_off: bool
    limits: dict[str, float]
    usual: dict[str, float]


class Rules(BaseModel):
    """All of them."""

    rules: list[Rule]


class Named(BaseModel):
    """A channel by its name."""

    name: str = Field(pattern=NAME)


class Described(BaseModel):
    """A channel. Of one that is there, an address that is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["webhook", "slack", "email"]
    url: Text = Field("", description="Of a webhook, or Slack's. Nobody can read it back.")
    secret: Text = Field("", description="That signs a webhook: whsec_ and base64.")
    to: list[Text] = Field([], max_length=book.MOST_TO, description="Addresses of e-mail.")
    rules: list[Text] = Field([], max_length=50, description="Those it is told of; none: all.")


class Channel(BaseModel):
    """Who is told."""

    name: str
    kind: str
    where: str = Field(description="A host, or addresses of e-mail.")
    is_signed: bool
    rules: list[str]
    created_at: datetime
    told_at: datetime | None
    last_error: str


class Channels(BaseModel):
    """All of them, by name."""

    channels: list[Channel]


class Tested(BaseModel):
    """Whether a test was taken."""

    taken: bool
    error: str


@bp.get("/alerts", tags=TAGS, responses={200: Alerts, **documented(422)})
def list_alerts(query: Which) -> Response:
    """What is not well now, or was."""
    with services().store.read() as connection:
        checked_at = alerts.checked_at(connection)
        if query.state == "open":
            rows, following = alerts.open_alerts(connection), None
        else:
            past = alerts.past_alerts(connection, before=query.number, limit=query.limit + 1)
            rows, following = query.cut(past)
    told = [Alert.model_validate(row) for row in rows]
    return answer(Alerts(checked_at=checked_at, alerts=told, next_cursor=following))


@bp.get("/alerts/rules", tags=TAGS, responses={200: Rules})
def list_alert_rules() -> Response:
    """What is looked for."""
    return answer(Rules(rules=[Rule(**one.as_dict()) for one in _rules().values()]))


@bp.get("/alerts/rules/<rule>", tags=TAGS, responses={200: Rule, **documented(304, 404, 422)})
def show_alert_rule(path: NamedRule) -> Response:
    """One rule, as it is set."""
    if (found := _rules().get(path.rule)) is None:
        raise NotFound(f"There is no rule {path.rule!r}.")
    return answer(Rule(**found.as_dict()))


@bp.put("/alerts/rules/<rule>", tags=TAGS, responses={200: Rule, **documented(400, 404, 415, 422)})
def set_alert_rule(path: NamedRule, body: Set) -> Response:
    """Say from which numbers on a rule tells, or turn it off."""
    try:
        set_ = thresholds.set_rule(services().store, path.rule, body.limits, is_off=body.is_off)
    except UnknownRule as error:
        raise NotFound(str(error)) from None
    except LimitsRefused as error:
        return _refused(error.mistakes, "limits.")
    return answer(Rule(**set_.as_dict()))


@bp.get("/alerts/channels", tags=TAGS, responses={200: Channels})
def list_alert_channels() -> Response:
    """Who is told."""
    with services().store.read() as connection:
        told = [Channel(**one.as_dict()) for one in book.channels(connection)]
    return answer(Channels(channels=told))


@bp.get("/alerts/channels/<name>", tags=TAGS, responses={200: Channel, **documented(304, 404, 422)})
def show_alert_channel(path: Named) -> Response:
    """One channel."""
    try:
        with services().store.read() as connection:
            return answer(Channel(**book.show(connection, path.name).as_dict()))
    except UnknownChannel as error:
        raise NotFound(str(error)) from None


@bp.put("/alerts/channels/<name>", tags=TAGS, responses={200: Channel, **documented(400, 415, 422)})
def put_alert_channel(path: Named, body: Described) -> Response:
    """Add a channel, or say anew what it is."""
    wanted = Wanted(
        name=path.name,
        kind=body.kind,
        url=body.url,
        secret=body.secret,
        to=tuple(body.to),
        rules=tuple(body.rules),
    )
    try:
        channel = book.put_channel(services().store, services().settings, wanted)
    except ChannelRefused as error:
        return _refused(error.mistakes)
    return answer(Channel(**channel.as_dict()))


@bp.delete("/alerts/channels/<name>", tags=TAGS, responses={204: None, **documented(404, 422)})
def remove_alert_channel(path: Named) -> Response:
    """Tell it nothing more."""
    try:
        book.remove_channel(services().store, path.name)
    except UnknownChannel as error:
        raise NotFound(str(error)) from None
    return Response(status=HTTPStatus.NO_CONTENT)


@bp.post("/alerts/channels/<name>/test", tags=TAGS, responses={200: Tested, **documented(404, 422)})
def test_alert_channel(path: Named) -> Response:
    """Send it a message that says it is a test."""
    settings = services().settings
    with closing(transport(settings)) as sending:
        try:
            telling.test(services().store, Wires(sending, settings), path.name)
        except UnknownChannel as error:
            raise NotFound(str(error)) from None
        except DeliveryFailed as failure:
            return answer(Tested(taken=False, error=str(failure)))
    return answer(Tested(taken=True, error=""))


def _rules() -> dict[str, thresholds.Setting]:
    with services().store.read() as connection:
        return thresholds.settings(connection)


def _refused(mistakes: tuple[tuple[str, str], ...], within: str = "") -> Response:
    faults = [Fault(where=f"{within}{name}", what=what) for name, what in mistakes]
    return problem(422, "; ".join(f"{one.where}: {one.what}" for one in faults), errors=faults)
