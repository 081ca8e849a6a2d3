"""docs/presets.md, as the presets have it: python -m skan_receiver.delivery.presets.document"""

import sys
from collections.abc import Iterable, Iterator

from skan_receiver.delivery.presets import PRESETS, ROLES, UNCONFIRMED, Parameter, Preset

HEAD = """\
# Presets

A preset is a destination that only lacks what you know:
`skan-receiver destinations add NAME --preset PRESET --set PARAMETER=…`. Secrets are kept as secrets
of the destination, and are not in its definition.

**unconfirmed by vendor** means that no page of the vendor's says that it takes this from a server,
or all that it wants. Ask before you rely on it. No vendor's address was called to find out: every
statement is from the page that is named.

This page is made from the presets:
`python -m skan_receiver.delivery.presets.document > docs/presets.md`.
"""

OVERVIEW = ("preset", "receiver", "for whom", "kind", "it asks for", "caution")


def document() -> str:
    """The page."""
    parts = [
        HEAD,
        _table(("for whom", "what it is"), ROLES.items()),
        _table(OVERVIEW, map(_line, PRESETS.values())),
        *map(_section, PRESETS.values()),
    ]
    return "\n".join(parts)


def _line(preset: Preset) -> tuple[str, ...]:
    asked = ", ".join(f"`{one.name}`" for one in preset.parameters if one.default is None)
    caution = UNCONFIRMED if preset.confirmed.startswith(UNCONFIRMED) else ""
    link = f"[`{preset.name}`](#{preset.name})"
    return link, preset.title, preset.role, preset.kind, asked, caution


def _section(preset: Preset) -> str:
    said = (preset.confirmed, preset.notes, f"Source: {preset.source}.")
    parts = [f"## {preset.name}\n", "\n\n".join(filter(None, said)) + "\n"]
    if preset.parameters:
        parts.append(_table(("parameter", "what it is", "example"), map(_asked, preset.parameters)))
    if preset.fields:
        rows = ((f"`{one.name}`", one.need, one.type, one.what) for one in preset.fields)
        parts.append(_table(("member", "by the vendor", "type", "what it says"), rows))
    return "\n".join(parts)


def _asked(parameter: Parameter) -> tuple[str, ...]:
    left_out = "" if parameter.default is None else f"; left out: {parameter.default or 'none'}"
    secret = " (secret)" if parameter.secret else ""
    return f"`{parameter.name}`{secret}", f"{parameter.what}{left_out}", f"`{parameter.example}`"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    return "\n".join(_rows(head, rows)) + "\n"


def _rows(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|---" * len(head) + "|"
    for row in rows:
        yield f"| {' | '.join(row)} |"


if __name__ == "__main__":
    sys.stdout.write(document())
