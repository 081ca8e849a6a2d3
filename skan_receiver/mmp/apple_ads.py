"""What Apple's servers say of Apple Ads, for the token that an app got from AdServices.

The app's server asks Apple (`POST https://api-adservices.apple.com/api/v1/`, within 24 hours) and
passes the answer on as it came.
https://developer.apple.com/documentation/adservices/aaattribution/attributiontoken()
"""

from collections.abc import Mapping
from typing import Any

from skan_receiver.errors import Malformed
from skan_receiver.mmp.providers.values import moment, said, text
from skan_receiver.mmp.touches import APPLE_ADS, TouchKind

MEDIA_SOURCE = "Apple Ads"

# Our fields by Apple's members. keywordId and orgId have no like in an event.
MEMBERS = {"campaignId": "campaign_id", "adGroupId": "adset_id", "adId": "ad_id"}
KINDS = {"click": TouchKind.CLICK, "impression": TouchKind.VIEW}

# What Apple answers to apps that are no release, from Xcode or TestFlight.
MADE_UP = "1234567890"


def attribution_of(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an event's attribution; none where Apple says that no ad of its led there.

    Malformed names the member at fault. `clickDate` is there only where the user lets the app
    track.
    """
    if not isinstance(answer.get("attribution"), bool):
        raise Malformed("true or false, as Apple answers it", "apple_ads.attribution")
    if not answer["attribution"] or str(answer.get("campaignId")) == MADE_UP:
        return {}
    found = {field: _read(answer, name, text) for name, field in MEMBERS.items()}
    claim = _read(answer, "claimType", text) or "click"
    if claim.lower() not in KINDS:
        raise Malformed("neither Click nor Impression", "apple_ads.claimType")
    return {
        "is_attributed": True,
        "media_source": MEDIA_SOURCE,
        "touch_type": KINDS[claim.lower()].value,
        "touched_at": _read(answer, "clickDate", moment),
        "match_type": APPLE_ADS,
        **found,
    }


def _read(answer: Mapping[str, Any], name: str, reader: Any) -> Any:
    try:
        found = said(answer.get(name))
        return None if found is None else reader(found)
    except ValueError as fault:
        raise Malformed(str(fault), f"apple_ads.{name}") from None
