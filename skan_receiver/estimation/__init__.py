"""What the numbers can bear: revenue where values are withheld, and installs behind arrivals.

    cells       what arrived, by group
    scale       what each value is worth
    shape       where in its bucket a user's revenue lies
    hierarchy   how values spread over campaigns, networks and apps: one Gibbs sampler
    tree        coarse levels, payers, amounts: the splits it is applied to
    versions    counts parted between versions of a schema
    revenue     the revenue of a group's installs, drawn
    sampler     all of it together
    kernels     how long an install takes to arrive
    installs    installs from arrivals
    yardsticks  what others do, to compare with

Pure: arrays in, draws out; no web, no database, no pandas. The mathematics: docs/estimation.md.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from skan_receiver.errors import ConfigurationError

if TYPE_CHECKING:
    from skan_receiver.estimation.cells import Cells
    from skan_receiver.estimation.installs import InstallSettings, install_series
    from skan_receiver.estimation.kernels import Kernel, kernel
    from skan_receiver.estimation.result import Estimate, Interval
    from skan_receiver.estimation.sampler import Settings, estimate
    from skan_receiver.estimation.scale import Scale

_HOMES = {
    "Cells": "cells",
    "Estimate": "result",
    "InstallSettings": "installs",
    "Interval": "result",
    "Kernel": "kernels",
    "Scale": "scale",
    "Settings": "sampler",
    "estimate": "sampler",
    "install_series": "installs",
    "kernel": "kernels",
}

__all__ = [
    "Cells",
    "Estimate",
    "InstallSettings",
    "Interval",
    "Kernel",
    "Scale",
    "Settings",
    "estimate",
    "install_series",
    "kernel",
]


def __getattr__(name: str) -> Any:
    """Loaded when first asked for: an install without numpy and scipy does all the rest."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    except ModuleNotFoundError as missing:
        library = (missing.name or "").partition(".")[0]
        if library not in ("numpy", "scipy"):
            raise
        raise ConfigurationError(
            f"estimates need {library}: pip install 'skan-receiver[analytics]'"
        ) from None
