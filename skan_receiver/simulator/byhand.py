"""One postback, as somebody wants it."""

from typing import Any

from skan_receiver.simulator.scenario import LAYOUTS, WINDOWED
from skan_receiver.testing import Signer

AAK = LAYOUTS[-1]


def postback(
    signer: Signer,
    *,
    version: str,
    app: int,
    network: str,
    source: str | None = None,
    fine: int | None = None,
    coarse: str | None = None,
    window: int = 0,
    lost: bool = False,
) -> dict[str, Any]:
    """A signed body of `version`, with new ids."""
    values = {"conversion_value": fine, "coarse_conversion_value": coarse}
    if version == AAK:
        return signer.adattributionkit(
            advertised_item_identifier=app,
            ad_network_identifier=network,
            postback_sequence_index=window,
            did_win=not lost,
            ad_interaction_type="click",
            **_given(source_identifier=source, **values),
        )
    members = {"app_id": app, "ad_network_id": network, **_given(**values)}
    if LAYOUTS.index(version) >= WINDOWED:
        members |= {"postback_sequence_index": window, **_given(source_identifier=source)}
    elif source is not None:
        members["campaign_id"] = int(source)
    if LAYOUTS.index(version) >= LAYOUTS.index("3.0"):
        members["did_win"] = not lost
    return signer.skadnetwork(version, **members)


def _given(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
