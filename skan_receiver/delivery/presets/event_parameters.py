"""What presets for events of users ask for: the settings that Airbridge has for each channel."""

from dataclasses import replace

from skan_receiver.delivery.presets.parameters import PARTNER
from skan_receiver.delivery.presets.preset import Member, Parameter

# A name at an MMP or a partner: nothing that parts a list, makes a macro or ends a line.
_NAME = r"[\w][\w .:/()-]{0,99}"
_EVENT = rf"(\*|{_NAME}(={_NAME})?)"

ALREADY = Parameter(
    "already_sent_by_mmp",
    "whether an MMP sends these events to the partner too: `no`, or `yes`, and then nothing is "
    "sent from here, since each would count twice",
    "no",
    "yes|no",
)
MEDIA_SOURCES = Parameter(
    "media_sources",
    "what your MMP calls the partner, with commas between several names",
    "acme_int",
    f"{_NAME}(,{_NAME})*",
)
EVENTS = Parameter(
    "events",
    "the events to send: your name=the partner's, with commas between them; `*` for all others, "
    "each under your name",
    "af_purchase=purchase,af_login=login",
    f"({_EVENT}(,{_EVENT})*)?",
)
INSTALLS = Parameter(
    "installs",
    "what the partner calls an install; none: installs are not sent",
    "install",
    f"({_NAME})?",
    default="",
)
ATTRIBUTED = Parameter(
    "attributed",
    "`only` what is given to the partner's own ads, or `all`",
    "only",
    "only|all",
    default="only",
)
FIRST_ONLY = Parameter(
    "first_only",
    "`yes` to send only the first of each event that a user does",
    "no",
    "yes|no",
    default="no",
)
REVENUE = Parameter(
    "revenue", "`no` to leave out what an event was worth", "yes", "yes|no", default="yes"
)
BARE = Parameter(
    "takes_bare",
    "`yes` where your contract with the partner lets events go to it that tell of nobody, of users "
    "who did not consent",
    "no",
    "yes|no",
    default="no",
)
NETWORK = Parameter("partner", "the ad network's name", PARTNER.example, PARTNER.pattern)
TOKEN = Parameter(
    "access-token", "the token that allows it", "EAAB…", "[A-Za-z0-9._|-]{8,1000}", secret=True
)

# What every one of them has, and asks for.
ASKED = (ALREADY, MEDIA_SOURCES, EVENTS, INSTALLS, ATTRIBUTED, FIRST_ONLY, REVENUE)
SETTINGS = {
    "already_sent_by_mmp": "<already_sent_by_mmp>",
    "media_sources": ["<media_sources>"],
    "attributed": "<attributed>",
    "events": ["<events>"],
    "installs": "<installs>",
    "first_only": "<first_only>",
    "revenue": "<revenue>",
}


def asked(**examples: str) -> tuple[Parameter, ...]:
    """ASKED, with a vendor's names as examples."""
    return tuple(
        replace(one, example=examples[one.name]) if one.name in examples else one for one in ASKED
    )


# Members that Meta has, and Snap after it.
LDU = {
    name: f"{{{name}}}"
    for name in (
        "data_processing_options",
        "data_processing_options_country",
        "data_processing_options_state",
    )
}
LDU_MEMBER = Member(
    "data_processing_options",
    "optional",
    "list",
    "LDU with country and state 0, where the user opted out by the law of a US state",
)
