"""What a request to a partner is made of: closed macros in a URL, in headers and in a body."""

from skan_receiver.delivery.templates.body import BodyTemplate
from skan_receiver.delivery.templates.dialects import (
    DIALECTS,
    Translation,
    guess_dialect,
    translate,
)
from skan_receiver.delivery.templates.macros import (
    CAMPAIGN,
    COMMON,
    DECODED,
    EVENT,
    HASHED,
    KINDS,
    PERSON,
    REPORT,
    SENDING,
    macros_for,
)
from skan_receiver.delivery.templates.mask import mask
from skan_receiver.delivery.templates.personal import PERSONAL
from skan_receiver.delivery.templates.refused import TemplateRefused
from skan_receiver.delivery.templates.text import HeadersTemplate, TextTemplate
from skan_receiver.delivery.templates.url import UrlTemplate
from skan_receiver.delivery.templates.values import Secrets, Values

__all__ = [
    "CAMPAIGN",
    "COMMON",
    "DECODED",
    "DIALECTS",
    "EVENT",
    "HASHED",
    "KINDS",
    "PERSON",
    "PERSONAL",
    "REPORT",
    "SENDING",
    "BodyTemplate",
    "HeadersTemplate",
    "Secrets",
    "TemplateRefused",
    "TextTemplate",
    "Translation",
    "UrlTemplate",
    "Values",
    "guess_dialect",
    "macros_for",
    "mask",
    "translate",
]
