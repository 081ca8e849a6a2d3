"""What nobody but the simulator knows, as Parquet: a file for each day of installs.

    installs    who, when, for which ad, and what the phone runs
    events      what they did
    values      what their phones held at the end of each window
    postbacks   what Apple sent of it, with tiers, and how often it arrived

`install` joins them; `postbacks.id` is the id of the stored postback.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from skan_receiver.conversion.arrays import ABSENT, CODES
from skan_receiver.errors import ConfigurationError
from skan_receiver.simulator.apple import AAK, NO_COUNTRY, NO_PUBLISHER
from skan_receiver.simulator.bodies import uuid
from skan_receiver.simulator.days import Day
from skan_receiver.simulator.device import Held
from skan_receiver.simulator.scenario import LAYOUTS
from skan_receiver.simulator.world import CONVERSIONS, Array, World

if TYPE_CHECKING:
    import pyarrow as pa

TABLES = ("installs", "events", "values", "postbacks")


def prepare(folder: Path) -> None:
    """Make the folders; ConfigurationError where pyarrow is missing."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError:
        raise ConfigurationError(
            "the truth is Parquet: pip install 'skan-receiver[simulator]'"
        ) from None
    for name in TABLES:
        (folder / name).mkdir(parents=True, exist_ok=True)


def write(world: World, day: Day, folder: Path) -> None:
    """The truth of one day's installs."""
    from pyarrow import parquet

    for name, columns in zip(TABLES, (_installs, _events, _values, _postbacks), strict=True):
        path = folder / name / f"{world.date(day.number)}.parquet"
        parquet.write_table(_table(columns(world, day)), path, compression="zstd")


def _table(columns: dict[str, Any]) -> "pa.Table":
    import pyarrow as pa

    return pa.table(columns)


def _installs(world: World, day: Day) -> dict[str, Any]:
    rows, scenario = day.installs, world.scenario
    campaigns = scenario.campaigns
    return {
        "install": rows["number"],
        "at": _times(rows["at"]),
        "app_id": _named([c.app for c in campaigns], rows["campaign"]),
        "ad_network_id": _named([c.network for c in campaigns], rows["campaign"]),
        "source_identifier": _named([c.source for c in campaigns], rows["campaign"]),
        "publisher": _named([str(p) for p in scenario.publishers], rows["publisher"]),
        "country": _named(scenario.countries, rows["country"]),
        **_layout(rows["layout"]),
        "conversion_type": _named(CONVERSIONS, rows["conversion"]),
        "interaction": _named(("view", "click"), rows["click"].astype(np.uint8)),
        "tier": day.crowd.tier,
    }


def _events(world: World, day: Day) -> dict[str, Any]:
    deeds, rows = day.deeds, day.installs
    return {
        "install": rows["number"][deeds.user],
        "name": _named(world.scenario.events, deeds.name),
        "hours": deeds.hours,
        "revenue": deeds.revenue,
    }


def _values(_world: World, day: Day) -> dict[str, Any]:
    set_by = [(window, held, np.flatnonzero(held.set)) for window, held in day.held.items()]
    return {
        "install": np.concatenate([day.installs["number"][users] for _, _, users in set_by]),
        "window": np.concatenate([np.full(len(users), w, np.uint8) for w, _, users in set_by]),
        "fine_value": _joined(set_by, "fine"),
        "coarse_value": _joined(set_by, "coarse"),
        "closed_hours": np.concatenate([held.closed[users] for _, held, users in set_by]),
    }


def _postbacks(world: World, day: Day) -> dict[str, Any]:
    rows, campaigns = day.postbacks, world.scenario.campaigns
    ids = list(map(uuid, rows["id_high"].tolist(), rows["id_low"].tolist()))
    return {
        "install": rows["install"],
        "id": [i.upper() if a else i for i, a in zip(ids, rows["layout"] == AAK, strict=True)],
        "sent_at": _times(rows["at"]),
        **_layout(rows["layout"]),
        "window": rows["window"],
        "did_win": rows["won"],
        "app_id": _named([c.app for c in campaigns], rows["campaign"]),
        "ad_network_id": _named([c.network for c in campaigns], rows["campaign"]),
        "source_identifier": _named([c.source for c in campaigns], rows["campaign"]),
        "digits": rows["digits"],
        "tier": _nullable(rows["tier"], ~rows["won"]),
        "fine_value": _fine(rows["value"]),
        "coarse_value": _coarse(rows["value"]),
        "publisher": _named(
            [str(p) for p in world.scenario.publishers], rows["publisher"], NO_PUBLISHER
        ),
        "country": _named(world.scenario.countries, rows["country"], NO_COUNTRY),
        "arrivals": _arrived(rows, day.arrivals),
    }


def _arrived(postbacks: Array, arrivals: Array) -> Array:
    ids, counts = np.unique(arrivals["id_low"], return_counts=True)
    if not len(ids):
        return np.zeros(len(postbacks), np.uint32)
    place = np.minimum(np.searchsorted(ids, postbacks["id_low"]), len(ids) - 1)
    found = np.where(ids[place] == postbacks["id_low"], counts[place], 0)
    return found.astype(np.uint32)


def _layout(layouts: Array) -> dict[str, Any]:
    frameworks = [
        "adattributionkit" if place == AAK else "skadnetwork" for place in range(len(LAYOUTS))
    ]
    versions = ["" if place == AAK else name for place, name in enumerate(LAYOUTS)]
    return {"framework": _named(frameworks, layouts), "version": _named(versions, layouts)}


def _joined(set_by: Sequence[tuple[int, Held, Array]], name: str) -> Any:
    values = np.concatenate([getattr(held, name)[users] for _, held, users in set_by])
    return _fine(values) if name == "fine" else _coarse(values)


def _fine(values: Array) -> Any:
    return _nullable(values, values >= CODES["low"])


def _coarse(values: Array) -> Any:
    low, absent = CODES["low"], ABSENT - CODES["low"]
    places = values.astype(int) - low
    return _named(("low", "medium", "high"), np.where(places < 0, absent, places), absent)


def _times(milliseconds: Array) -> Any:
    import pyarrow as pa

    return pa.array(milliseconds).cast(pa.timestamp("ms", tz="UTC"))


def _nullable(values: Array, absent: Array) -> Any:
    import pyarrow as pa

    return pa.array(values, mask=absent)


def _named(names: Sequence[Any], places: Array, absent: int | None = None) -> Any:
    """Names instead of places, each written once: a dictionary must not repeat itself."""
    import pyarrow as pa

    once = list(dict.fromkeys(names))
    number = np.array([once.index(name) for name in names], np.int32)
    missing = np.zeros(len(places), bool) if absent is None else places == absent
    here = number[np.where(missing, 0, places)]
    return pa.DictionaryArray.from_arrays(pa.array(here, mask=missing), pa.array(once))
