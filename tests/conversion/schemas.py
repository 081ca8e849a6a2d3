"""Schemas that the tests write, and the postbacks they read through them."""

from dataclasses import dataclass
from pathlib import Path
from textwrap import indent

from skan_receiver.conversion import Schema, load_schema

FOLDER = Path(__file__).parents[2] / "conversion_schemas"
EXAMPLES = sorted((FOLDER / "examples").glob("*.yaml"))

HEAD = """\
app: 42
currency: USD
events:
  registration:
  tutorial:
  purchase: {revenue: iap}
  ad_impression: {revenue: ad}
  session:
flags: [attributed]
"""


@dataclass(frozen=True, slots=True)
class Valued:
    """What decoding asks of a postback."""

    app_id: int = 42
    window: int = 0
    fine_value: int | None = None
    coarse_value: str | None = None
    conversion_type: str | None = "download"


def text(fine: str, more: str = "") -> str:
    """A schema whose window 0 has these fine values."""
    return f"{HEAD}windows:\n  0:\n    fine:\n{indent(fine, ' ' * 6)}\n{indent(more, ' ' * 2)}\n"


def schema(fine: str, more: str = "") -> Schema:
    return load_schema(text(fine, more))


def rules(*lines: str, pick: str = "first") -> str:
    listed = "\n".join(f"  - {{{line}}}" for line in lines)
    return f"model: rules\npick: {pick}\nrules:\n{listed}"
