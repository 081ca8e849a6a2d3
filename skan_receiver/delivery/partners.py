"""Whom we exchange data with: what destinations and keys say of each partner."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row

from skan_receiver.delivery.destinations.partner import OWN
from skan_receiver.delivery.registry import Entry


@dataclass(slots=True)
class Partner:
    """A network or MMP, under the name that its destinations and keys give it."""

    name: str
    ad_networks: set[str] = field(default_factory=set)  # lower case: all that it may see
    destinations: list[Entry] = field(default_factory=list)
    keys: list[Row[Any]] = field(default_factory=list)


def partners(entries: Iterable[Entry], keys: Iterable[Row[Any]]) -> list[Partner]:
    """By name, without ourselves; of `keys` those that belong to a partner."""
    found: defaultdict[str, Partner] = defaultdict(lambda: Partner(""))
    for entry in entries:
        if (name := getattr(entry.destination, "partner", OWN)) != OWN:
            found[name].destinations.append(entry)
            found[name].ad_networks.update(entry.destination.ad_networks)
    for key in keys:
        if key.partner:
            found[key.partner].keys.append(key)
    for name, partner in found.items():
        partner.name = name
    return [found[name] for name in sorted(found)]
