"""What a preset is: a destination's definition with places for what only the customer knows."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Literal

Role = Literal["network forward", "developer copy", "result", "report", "events"]

# Two addresses of one vendor mean two things: who sends a developer's copy to the address for
# networks claims to be the network.
ROLES: Mapping[Role, str] = {
    "network forward": "for an ad network: what Apple sent it, with its names for the ad",
    "developer copy": "for an app's developer: the copy that Apple sent, as it is",
    "result": "what a postback says or means, to whom you like",
    "report": "sums over a period",
    "events": "installs and in-app events of users, each as far as the user consented",
}

# How `confirmed` begins where no page says that the vendor takes this from a server.
UNCONFIRMED = "unconfirmed by vendor"

Need = Literal["required", "optional", "not said"]
Type = Literal["string", "integer", "number", "boolean", "list"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """Something only the customer knows.

    A secret one becomes a secret of the destination under the same name, which the definition
    refers to as {secret:name}; any other is written into its <name>.
    """

    name: str
    what: str
    example: str  # of a secret: one that is refused, or somebody would keep it
    pattern: str  # the whole value matches it
    _: KW_ONLY
    secret: bool = False
    default: str | None = None  # None: it must be given
    adds: Mapping[str, Any] = field(default_factory=dict)  # what a `yes` adds to the definition


@dataclass(frozen=True, slots=True)
class Member:
    """A member that the vendor's page has beside Apple's, in a body or a query."""

    name: str
    need: Need
    type: Type
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """How one vendor wants to be sent something, and how we know."""

    name: str
    title: str
    role: Role
    kind: str  # of destination
    parameters: tuple[Parameter, ...] = ()
    definition: Mapping[str, Any]  # as one writes a destination, with a <name> for each parameter
    fields: tuple[Member, ...] = ()
    source: str
    confirmed: str  # what the page says of it; after UNCONFIRMED, what no page says
    notes: str = ""
    # Whose macros are in the URL that the customer gives: they become ours.
    dialect: str = ""
