"""Which macros there are, and which kind of destination may use which.

This is the whole of what a template can send. A destination that gets results of SKAdNetwork
cannot name what would identify a person, because no such name is here: see `personal`.
"""

from collections.abc import Mapping

Table = Mapping[str, str]  # a macro's name and, in a line, what it stands for

# A postback: Apple's fields, and what we know of its arrival.
COMMON: Table = {
    "postback_id": "Apple's transaction-id or postback-identifier",
    "framework": "skadnetwork or adattributionkit",
    "version": "SKAdNetwork's version; absent for AdAttributionKit, which has none",
    "app_id": "the App Store id of the advertised app",
    "ad_network_id": "the ad network's id at Apple",
    "window": "0, 1 or 2: Apple's postback-sequence-index",
    "skan_campaign_id": "Apple's campaign-id, up to SKAdNetwork 3",
    "source_identifier": "2 to 4 digits, since SKAdNetwork 4",
    "conversion_type": "download, redownload or re-engagement",
    "redownload": "true where the app had been installed before",
    "did_win": "true for the ad that won the attribution",
    "fidelity_type": "0 for a view-through ad, 1 for a StoreKit-rendered or web ad",
    "source_app_id": "the App Store id of the app that showed the ad",
    "source_domain": "the site that showed the ad",
    "marketplace_id": "the marketplace the app was installed from",
    "impression_type": "AdAttributionKit's kind of impression",
    "fine_value": "the conversion value, 0 to 63",
    "coarse_value": "low, medium or high",
    "country": "the country code AdAttributionKit reports",
    "interaction_type": "view or click, as AdAttributionKit reports",
    "verdict": "what Apple's signature says: valid, development, invalid or unverifiable",
    "key_id": "the name of the key that verified it",
    "endpoint": "where it came in, such as network or forwarded:appsflyer",
    "received_at": "when it arrived, as 2026-11-25T22:10:00Z",
    "received_at_s": "the same, in seconds since 1970",
    "received_at_ms": "the same, in milliseconds since 1970",
    "postback_base64": "the bytes Apple sent, in base64",
}

# What is sent, whatever it is.
SENDING: Table = {
    "delivery_id": "the delivery's name, the same over all retries",
    "destination": "the destination's name",
    "attempt": "1 for the first try, 2 for the second",
    "digits": "20 decimal digits made of the delivery's name, the same over all retries",
}

# What the owner's campaign table calls an ad network's numbers.
CAMPAIGN: Table = {
    "campaign_id": "the campaign's id",
    "campaign_name": "the campaign's name",
    "adset_id": "the ad set's (or ad group's) id",
    "adset_name": "the ad set's (or ad group's) name",
    "ad_id": "the ad's (or creative's) id",
    "ad_name": "the ad's (or creative's) name",
    "channel": "the channel within the ad network",
    "tracker": "the tracker, as MMPs call a link of theirs",
}

# A postback read through the schema that was in force.
DECODED: Table = {
    "schema_version": "the version of the schema it was read through",
    "schema_hash": "that version's content hash",
    "certainty": "how certain it is that this version was in force, 0 to 1",
    "label": "the schema's name for the value",
    "words": "the meaning in a sentence",
    "events": "the events, each with how often it happened",
    "revenue": "the middle of the revenue interval",
    "revenue_min": "the lower end of the revenue interval",
    "revenue_max": "its upper end; absent where it is open",
    "currency": "the revenue's currency",
    "flags": "the flags, each true or false",
    "meaning": "the whole meaning as one object",
    "readings": "every reading with its weight, where several versions may have been in force",
    "installed_from": "the earliest moment of the install",
    "installed_to": "the latest moment of the install",
    "no_value": "why there is no meaning; absent where there is one",
}

# A report for a period.
REPORT: Table = {
    "window_start": "the first hour of the period",
    "window_end": "the hour after its last",
    "date_basis": "whether rows are dated by arrival or by install",
    "length": "the period's length",
    "revision": "1 for the first edition of this period, 2 for its first correction",
    "as_of": "the moment the numbers were taken",
    "columns": "the columns' names",
    "rows": "the rows, each a list in the order of the columns",
    "row_count": "how many rows there are",
    "suppressed": "how many were left out because they count too few installs",
    "format": "the format of the rows",
    "completeness": "how much of what is expected has come, 0 to 1, by Apple's window",
}

KINDS: Mapping[str, tuple[Table, ...]] = {
    "relay": (COMMON, SENDING, CAMPAIGN),
    "decoded": (COMMON, SENDING, CAMPAIGN, DECODED),
    "report": (SENDING, REPORT),
}

# MMPs ask forwarders for the address a postback came from. It is the one personal thing
# there is, so a relay must say `needs_ip` to have it, and no other kind can.
IP: Table = {"ip": "the address the device sent its postback from"}


def macros_for(kind: str, *, ip: bool = False) -> Table:
    """What a destination's templates may name; `ip` is whether it says `needs_ip`."""
    tables = (*KINDS[kind], IP) if ip and kind == "relay" else KINDS[kind]
    return {name: says for table in tables for name, says in table.items()}


def kinds_with(name: str) -> tuple[str, ...]:
    """The kinds of destination that have a macro."""
    return tuple(kind for kind in KINDS if name in macros_for(kind))
