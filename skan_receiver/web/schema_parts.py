"""What a model is to be made of, as it was typed into the editor."""

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from skan_receiver.conversion.starters import Parts

T = TypeVar("T")

KINDS = ("total", "iap", "ad")


def parts_of(typed: Mapping[str, str]) -> Parts:
    """The fields of the form; ValueError names the one that cannot be read."""
    kind = typed.get("model_revenue") or KINDS[0]
    if kind not in KINDS:
        raise ValueError(f"revenue: one of {', '.join(KINDS)}")
    return Parts(
        events=_list("events", typed, _event),
        revenue=kind,
        edges=_list("edges", typed, amount_of),
        counts=_list("counts", typed, _count),
        days=_list("days", typed, _count),
        coarse=typed.get("model_scale") == "coarse",
    )


def amount_of(name: str, text: str) -> float:
    """An amount of money."""
    if not re.fullmatch(r"\d{1,9}(\.\d{1,6})?", text := text.strip()):
        raise ValueError(f"{name}: an amount, as in 4.99")
    return float(text)


def _list(name: str, typed: Mapping[str, str], read: Callable[[str, str], T]) -> tuple[T, ...]:
    """By commas, spaces or lines."""
    said = re.split(r"[\s,;]+", typed.get(f"model_{name}", "").strip())
    return tuple(read(name, one) for one in said if one)


def _event(name: str, text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,100}", text):
        raise ValueError(f"{name}: names as in level_up, with commas between them")
    return text


def _count(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 10_000):
        raise ValueError(f"{name}: whole numbers, as in 1, 3, 10")
    return int(text)
