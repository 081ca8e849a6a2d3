"""What every destination has, whatever its kind."""

from collections.abc import Collection, Mapping
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal, Protocol

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationInfo,
    field_validator,
)

from skan_receiver.delivery.templates import HeadersTemplate, Secrets, UrlTemplate, Values
from skan_receiver.delivery.templates.macros import macros_for
from skan_receiver.delivery.transport import Request
from skan_receiver.protocol import Framework

# Ours to set, or HTTP's: another value would change what the request is.
OURS = {
    "accept-encoding", "connection", "content-length", "expect", "host", "te", "trailer",
    "transfer-encoding", "upgrade", "webhook-id", "webhook-timestamp", "webhook-signature",
    "webhook-replay",
}  # fmt: skip

# `forwarded` is every forwarder, `forwarded:appsflyer` one.
ENDPOINT = r"^(network|developer|import|simulator|forwarded(:[a-z0-9_-]+)?)$"
NAME = r"^[a-z0-9][a-z0-9-]{0,62}$"

MOST_AT_ONCE = 64

# What has to be read of what a delivery is about.
VERBATIM, POSTBACKS, WINDOWS, EVENTS = "verbatim", "postbacks", "windows", "events"


class Template(Protocol):
    """What can say which macros and secrets it names."""

    @property
    def macros(self) -> tuple[str, ...]: ...
    @property
    def secrets(self) -> tuple[str, ...]: ...


Leaf = str | int | float | bool | None
Tree = Any  # a tree of dicts and lists with leaves; `BodyTemplate` checks it


def _lower(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name.lower() for name in names)


class Destination(BaseModel):
    """A place results go to, and which of them. An empty filter lets everything through.

    Whatever the filters, only postbacks that count are owed, unless `uncounted`: see `counts()`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    # Whether it is about postbacks, and may name this.
    about_postbacks: ClassVar[bool] = True

    # The ledger knows it by this name: under another one it is another destination.
    name: str = Field(pattern=NAME)
    kind: str
    preset: str = ""  # the preset it was made from
    needs_ip: bool = False  # only a relay may

    # A mapping has a URL for each framework, and the destination gets those frameworks only.
    url: str | dict[Framework, str] = Field(repr=False)  # may hold a key
    method: Literal["POST", "GET", "PUT"] = "POST"
    headers: dict[str, str] = Field({}, repr=False)
    # Names of secrets that sign, as Standard Webhooks have it; two while one takes over.
    sign: tuple[Annotated[str, Field(pattern=NAME)], ...] = Field((), max_length=2)

    # At once, in each worker; a second, in all workers together.
    concurrency: int = Field(8, ge=1, le=MOST_AT_ONCE)
    rate: float | None = Field(None, gt=0, le=100_000)

    apps: tuple[int, ...] = ()
    ad_networks: Annotated[tuple[str, ...], AfterValidator(_lower)] = ()
    frameworks: tuple[Framework, ...] = ()
    windows: tuple[Annotated[int, Field(ge=0, le=2)], ...] = ()
    # Imports are history, which most partners have had: name them to send them too.
    endpoints: tuple[Annotated[str, Field(pattern=ENDPOINT)], ...] = (
        "network",
        "developer",
        "forwarded",
        "simulator",
    )

    _urls: dict[Framework | None, UrlTemplate] = PrivateAttr(default_factory=dict)
    _headers: HeadersTemplate = PrivateAttr()

    @field_validator("needs_ip")
    @classmethod
    def _only_relays_need_it(cls, needs_ip: bool) -> bool:  # noqa: FBT001  # a field's value
        if needs_ip and cls.model_fields["kind"].default != "relay":
            raise ValueError("only a relay may carry the device's address; leave out")
        return needs_ip

    @field_validator("url")
    @classmethod
    def _url_is_good(cls, url: Any, info: ValidationInfo) -> Any:
        for template in url.values() if isinstance(url, dict) else [url]:
            UrlTemplate.parse(template, cls.allowed(info.data))
        if not url:
            raise ValueError("must have a URL; write https://partner.example/postbacks")
        return url

    @field_validator("headers")
    @classmethod
    def _headers_are_good(cls, headers: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        HeadersTemplate.parse(headers, cls.allowed(info.data))
        if ours := sorted(OURS & {name.lower() for name in headers}):
            raise ValueError(f"{', '.join(ours)}: set by skan-receiver; leave out")
        return headers

    def model_post_init(self, _context: Any) -> None:
        allowed = self.allowed(self.__dict__)
        urls = self.url if isinstance(self.url, dict) else {None: self.url}
        self._urls = {key: UrlTemplate.parse(url, allowed) for key, url in urls.items()}
        self._headers = HeadersTemplate.parse(self.headers, allowed)

    @classmethod
    def allowed(cls, said: Mapping[str, Any]) -> Collection[str]:
        """The macros that its templates may name, by what is `said` of it."""
        kind = cls.model_fields["kind"].default
        return macros_for(kind, ip=bool(said.get("needs_ip")))

    def wants(self, _row: Any) -> bool:
        """Whether a row of `postback`, with `counted`, is owed to it."""
        return False

    def url_for(self, framework: str | None) -> UrlTemplate | None:
        """Where it goes; None where the destination has no URL for this framework."""
        if framework is None or None in self._urls:
            return self._urls.get(None)
        return self._urls.get(Framework(framework))

    @property
    def heads(self) -> dict[Framework | None, str]:
        """Scheme, host and port of each URL: no macro decides where a request goes."""
        return {framework: url.head for framework, url in self._urls.items()}

    @property
    def masked(self) -> tuple[str, ...]:
        """Its URLs as they may be shown."""
        return tuple(url.masked() for url in self._urls.values())

    def request(self, about: Any, values: Values, secrets: Secrets) -> Request:
        """What to send of a row; DeliveryFailed where these values make no request."""
        url = self.url_for(getattr(about, "framework", None))
        assert url is not None
        headers = self._headers.expand(values, secrets)
        where = url.expand(values, secrets)
        if self.method == "GET":
            return Request(where, b"", headers, "GET")
        body = self.content(about, values, secrets)
        return Request(where, body, {"Content-Type": self.content_type, **headers}, self.method)

    def content(self, about: Any, values: Values, secrets: Secrets) -> bytes:
        """The body."""
        raise NotImplementedError

    @property
    def content_type(self) -> str:
        return "application/json"

    @cached_property
    def macros(self) -> frozenset[str]:
        """What its templates name: only this has to be found out."""
        return frozenset(name for template in self.templates for name in template.macros)

    @cached_property
    def needs(self) -> str:
        """What has to be read to make a request."""
        if not self.about_postbacks:
            return WINDOWS
        return POSTBACKS if self.macros else VERBATIM

    @cached_property
    def secret_names(self) -> frozenset[str]:
        """The secrets it needs."""
        named = {name for template in self.templates for name in template.secrets}
        return frozenset({*named, *self.sign})

    @property
    def templates(self) -> tuple[Template, ...]:
        """Everything that is filled in."""
        return (*self._urls.values(), self._headers)
