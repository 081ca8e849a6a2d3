"""What Apple sends, in our words."""

from dataclasses import dataclass
from enum import StrEnum


class Framework(StrEnum):
    """Which of Apple's two attribution frameworks speaks."""

    SKADNETWORK = "skadnetwork"
    ADATTRIBUTIONKIT = "adattributionkit"


class Verdict(StrEnum):
    """What a signature says about a postback, never what we think of its contents."""

    VALID = "valid"  # signed by a production key
    DEVELOPMENT = "development"  # signed by a development or test key: genuine, never counted
    INVALID = "invalid"  # signed by none of the keys it names
    UNVERIFIABLE = "unverifiable"  # no key, or no rule, is known for it


@dataclass(frozen=True, slots=True)
class Signature:
    """What was signed, by which key, and the proof: all that verifying needs."""

    key: str  # "P-256" or "P-192" for SKAdNetwork, the `kid` for AdAttributionKit
    message: bytes  # exactly the bytes under the signature
    value: bytes  # SKAdNetwork: DER; AdAttributionKit: raw r || s


@dataclass(frozen=True, slots=True)
class Postback:
    """One Apple postback of either framework.

    A withheld value is None, never 0: Apple leaves out what crowd anonymity does not allow,
    and 0 is a value of its own. The text of `id` keeps its case, which the signature covers;
    compare ids with `identity`.
    """

    framework: Framework
    version: str  # "1.0" to "4.0"; "" for AdAttributionKit, which has none

    # Covered by Apple's signature.
    id: str  # transaction-id, postback-identifier
    app_id: int  # the advertised app
    ad_network_id: str
    window: int  # postback-sequence-index: 0, 1, 2; 0 up to SKAdNetwork 3.0
    campaign_id: int | None  # up to SKAdNetwork 3.0
    source_identifier: str | None  # 2 to 4 digits; the shorter forms are the last digits
    conversion_type: str | None  # "download", "redownload", "re-engagement"; 1.0 does not say
    did_win: bool  # True where the version knows no losers
    fidelity_type: int | None  # 0 view-through, 1 StoreKit-rendered or web ad
    source_app_id: int | None  # the app that showed the ad; 0 in tests
    source_domain: str | None  # the site that showed it
    marketplace_id: str | None  # the bundle id of the marketplace it was installed from
    impression_type: str | None

    # Reported by the device, and signed by nobody.
    fine_value: int | None  # 0 to 63
    coarse_value: str | None  # "low", "medium", "high"
    country: str | None  # two letters, as sent
    interaction_type: str | None  # "view", "click"
    flags: tuple[str, ...]  # members whose value was out of range, and taken as absent

    signature: Signature
    body: bytes  # as received
