"""`event`: installs and in-app events of users, each only as far as consent goes."""

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    Field,
    PrivateAttr,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from skan_receiver.delivery.destinations.decoded import as_json
from skan_receiver.delivery.destinations.destination import EVENTS, Destination, Template, Tree
from skan_receiver.delivery.destinations.mapping import ANY, Mapped, by_name
from skan_receiver.delivery.templates import BodyTemplate, Secrets, Values
from skan_receiver.delivery.templates.url import without_empty
from skan_receiver.delivery.transport import Request
from skan_receiver.mmp.consent import Vendor
from skan_receiver.mmp.event import Event, Kind, Platform
from skan_receiver.mmp.withdrawals import WITHDRAWALS

# Of Apple's postbacks alone.
OF_POSTBACKS = ("ad_networks", "frameworks", "windows", "endpoints")

Name = Annotated[str, StringConstraints(max_length=200)]


class EventDestination(Destination):
    """A request for each event that the mapping and the rules of consent let through.

    What consent withholds has no value: its member is left out of a body, its parameter of a query,
    and its header is not sent.
    """

    about_postbacks: ClassVar[bool] = False

    kind: Literal["event"] = "event"
    partner: str = Field(min_length=1, max_length=200)
    # What MMPs call the partner: these events are its own.
    media_sources: tuple[Name, ...] = ()
    # By whose rules of consent.
    vendor: Vendor = Vendor.NETWORK
    # The contract with the partner lets events go to it that tell of nobody.
    takes_bare: bool = False
    # An MMP that sends them too would have each of them count twice: nobody can answer this for
    # whoever sets it up.
    already_sent_by_mmp: bool | None = None

    bundle_ids: tuple[Name, ...] = ()
    platform: Platform | None = None
    # Those that are given to the partner's own ads, or everybody's.
    attributed: Literal["only", "all"] = "only"
    events: tuple[Mapped, ...] = ()
    # For each line of `events` that does not say otherwise.
    revenue: bool = True
    first_only: bool = False  # one a user: see `delivery.firsts`
    # What the partner calls these; empty: they are not sent.
    installs: Name = ""
    reinstalls: Name = ""
    reengagements: Name = ""
    withdrawals: Name = ""  # rejected installs and refunds of what it was sent
    body: Tree = Field(None, repr=False)

    _body: BodyTemplate | None = PrivateAttr(None)
    # By the teller's name; and what the partner calls what is no event of the app's own.
    _events: Mapping[str, Mapped] = PrivateAttr(default_factory=dict)
    _kinds: Mapping[Kind, str] = PrivateAttr(default_factory=dict)
    _sources: frozenset[str] = PrivateAttr(frozenset())

    @field_validator("body")
    @classmethod
    def _body_is_good(cls, body: Tree, info: ValidationInfo) -> Tree:
        if body is not None:
            BodyTemplate.parse(body, cls.allowed(info.data))
        return body

    @field_validator("events")
    @classmethod
    def _each_is_mapped_once(cls, events: tuple[Mapped, ...]) -> tuple[Mapped, ...]:
        by_name(events)
        return events

    @model_validator(mode="after")
    def _is_of_events(self) -> "EventDestination":
        for name in OF_POSTBACKS:
            if name in self.model_fields_set:
                raise ValueError(f"{name}: events of users have none; leave out")
        if isinstance(self.url, dict):
            raise ValueError("url: events of users have no framework; write one URL")  # noqa: TRY004  # pydantic's
        if self.body is not None and self.method == "GET":
            raise ValueError("body: a GET has none; write it into the URL: ?event={event}")
        return self

    @model_validator(mode="after")
    def _is_answered(self) -> "EventDestination":
        if self.already_sent_by_mmp is None:
            raise ValueError(
                "already_sent_by_mmp: does an MMP send these events to the partner too? Each would "
                "count twice. Write `false` where none does; with `true` nothing is sent from here"
            )
        if self.attributed == "only" and not self.media_sources:
            raise ValueError(
                "media_sources: say what the MMP calls the partner, as in [googleadwords_int]; or "
                "write `attributed: all`"
            )
        if not (self.events or self._kinds):
            raise ValueError("events: nothing would be sent: map some, as in [purchase=Purchase], "
                             "or name `installs`")  # fmt: skip
        return self

    def model_post_init(self, context: Any) -> None:
        super().model_post_init(context)
        self._events = {name: self._told(line) for name, line in by_name(self.events).items()}
        named = {
            Kind.INSTALL: self.installs,
            Kind.REINSTALL: self.reinstalls,
            Kind.REENGAGEMENT: self.reengagements,
            Kind.REJECTED: self.withdrawals,
            Kind.REFUND: self.withdrawals,
        }
        self._kinds = {kind: name for kind, name in named.items() if name}
        self._sources = frozenset(name.casefold() for name in self.media_sources)
        if self.body is not None:
            self._body = BodyTemplate.parse(self.body, self.allowed(self.__dict__))

    @cached_property
    def needs(self) -> str:
        """What has to be read to make a request."""
        return EVENTS

    @property
    def other_kinds(self) -> tuple[Kind, ...]:
        """The kinds it gets that are no event of the app's own."""
        return tuple(self._kinds)

    def told_as(self, event: Event) -> Mapped | None:
        """How the partner is told of it; None where the mapping has nothing for it."""
        line, other = self._events.get(event.name), self._events.get(ANY)
        if event.kind is Kind.EVENT:
            return line or (other and other.model_copy(update={"to": event.name}))
        if (name := self._kinds.get(event.kind)) is None:
            return None
        # What is taken back is told in the currency that it was told in.
        like = line or other or self._told(Mapped(name=ANY))
        once = {"first_only": False, "min_value": None, "max_value": None}
        return like.model_copy(update={"to": name, **once})

    def _told(self, line: Mapped) -> Mapped:
        """A line with what it leaves to the destination to say."""
        usual = {"revenue": self.revenue, "first_only": self.first_only, "to": line.name}
        left = {name: value for name, value in usual.items() if getattr(line, name) in (None, "")}
        return line.model_copy(update=left)

    def is_theirs(self, event: Event) -> bool:
        """Whether it is given to an ad of the partner's."""
        source = (event.attribution.media_source or "").casefold()
        return event.attribution.is_attributed is not False and source in self._sources

    def refuses(self, event: Event) -> str:
        """Why this destination does not get it, whatever was consented to; empty where it does."""
        if self.already_sent_by_mmp:
            return "an MMP sends it to the partner already: it would count twice"
        if not self._is_of_the_apps(event):
            return "it is of another app"
        if self.platform not in (None, event.platform):
            return f"it is not of {self.platform}"
        if event.is_restricted and not self.is_theirs(event):
            return "its media source lets its data go to nobody else"
        if self._has_to_be_theirs(event) and not self.is_theirs(event):
            return "it is not given to an ad of the partner's, and `attributed` is `only`"
        if self.told_as(event) is None:
            return f"{event.name!r} ({event.kind}) is not in the mapping"
        return ""

    def _has_to_be_theirs(self, event: Event) -> bool:
        # What takes something back follows what it takes back, whoever it is given to by then.
        return self.attributed == "only" and event.kind not in WITHDRAWALS

    def request(self, about: Any, values: Values, secrets: Secrets) -> Request:
        made = super().request(about, values, secrets)
        headers = {name: value for name, value in made.headers.items() if value}
        if not made.body:
            headers.pop("Content-Type", None)
        return Request(without_empty(made.url), made.body, headers, made.method)

    def content(self, _about: Any, values: Values, secrets: Secrets) -> bytes:
        return b"" if self._body is None else as_json(self._body.expand(values, secrets))

    @property
    def templates(self) -> tuple[Template, ...]:
        return (*super().templates, *filter(None, [self._body]))

    def _is_of_the_apps(self, event: Event) -> bool:
        if not (self.apps or self.bundle_ids):
            return True
        return event.app_id in self.apps or event.bundle_id in self.bundle_ids
