"""Which macros there are, and which kind of destination may use which.

This is the whole of what a template can send. A destination that gets results of SKAdNetwork
cannot name what would identify a person, because its kinds have no such name: see `personal`.
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

# An install or in-app event of a user: what may be told whatever he answered (`mmp.consent.PLAIN`).
EVENT: Table = {
    "event": "the partner's name for it, by the destination's mapping",
    "event_name": "its name at whoever told of it",
    "event_kind": "install, reinstall, re-engagement, event, rejected install or refund",
    "event_id": "32 hexadecimal digits, the same in every copy of it",
    "event_time": "when it happened, as 2026-11-25T22:10:00Z",
    "event_time_s": "the same, in seconds since 1970",
    "event_time_ms": "the same, in milliseconds since 1970",
    "event_time_us": "the same, in seconds with six decimals",
    "revenue": "what it was worth, in the currency that the mapping says; negative in a refund",
    "currency": "the revenue's currency; absent where there is no revenue",
    "platform": "ios or android",
    "app_id": "the App Store id",
    "bundle_id": "the bundle's or package's name",
    "store_id": "the App Store id on iOS, the package's name on Android; a text",
    "att": "Apple's status: authorized, denied, restricted or not_determined",
    "att_status": "the same as Apple's number: 3, 2, 1 or 0",
    "att_word": "the same as AUTHORIZED, …; NOT_APPLICABLE on Android",
    "tracking_enabled": "1 where the platform lets the user be told apart, else 0",
    "lat": "1 where it does not, or that is not known, else 0",
    "limit_ad_tracking": "true where the user limits ad tracking on the device",
    "gdpr_applies": "whether somebody said that the GDPR holds, true or false",
    "eea": "1 where the GDPR or its like holds for the user, else 0",
    "ad_user_data": "1 or 0: consent to use data for ads; absent where nothing was said",
    "ad_personalization": "1 or 0: consent to personalised ads; absent where nothing was said",
    "limited_data_use": "true where the user opted out by the law of a US state, else false",
    "data_processing_options": "[LDU] where the user opted out so; absent otherwise",
    "data_processing_options_country": "0 beside LDU: the receiver finds out",
    "data_processing_options_state": "0 beside LDU: the receiver finds out",
    "extinfo": "Meta's and Snap's list of 16 texts of the device, what is not told empty",
}

# Who it was, on what, and by which ad. There are no values here without consent, and no kind but
# `event` has these: see `mmp.consent`.
PERSON: Table = {
    "idfa": "Apple's advertising id",
    "idfv": "the id of the device at the app's vendor",
    "gaid": "Google's advertising id",
    "android_id": "Android's id of the device",
    "advertising_id": "idfa or gaid, whichever there is",
    "advertising_id_type": "idfa or advertisingid",
    "customer_user_id": "the app's own name for its user",
    "mmp_user_id": "the MMP's name for the device",
    "click_id": "the partner's own id of the click; never another's",
    "ip": "the device's address",
    "user_agent": "the device's user agent",
    "order_id": "the id of the purchase",
    "installed_at": "when the app was installed",
    "installed_at_s": "the same, in seconds since 1970",
    "installed_at_ms": "the same, in milliseconds since 1970",
    "country": "the user's country, two letters",
    "region": "the region in it",
    "os_version": "the system's version",
    "app_version": "the app's version",
    "model": "the device's model",
    "language": "the device's language",
    "sdk_version": "the version of the SDK that told of it",
    "is_attributed": "true where it is given to an ad of this partner's, else false",
    "media_source": "the partner's name at the MMP",
    "agency": "the agency that bought the ad",
    "channel": "the channel within the media source",
    "campaign_id": "the campaign's id",
    "campaign_name": "the campaign's name",
    "adset_id": "the ad set's (or ad group's) id",
    "adset_name": "the ad set's (or ad group's) name",
    "ad_id": "the ad's (or creative's) id",
    "ad_name": "the ad's (or creative's) name",
    "site_id": "where the ad was shown, as the media source calls it",
    "touch_type": "click or view",
    "touched_at": "when that was",
    "touched_at_s": "the same, in seconds since 1970",
    "match_type": "how the MMP matched the two",
    "is_retargeting": "true where the ad was for those who had the app",
}

# Of an identifier's text as it came: where one was taken without its hash, it is not for us to
# know how the other side would write it.
HASHES = ("md5", "sha1", "sha256")
HASHED: Table = {
    f"{name}_{how}": f"the {how.upper()} of {{{name}}}, in hexadecimal digits"
    for name in ("idfa", "idfv", "gaid", "android_id", "customer_user_id")
    for how in HASHES
}

KINDS: Mapping[str, tuple[Table, ...]] = {
    "relay": (COMMON, SENDING, CAMPAIGN),
    "decoded": (COMMON, SENDING, CAMPAIGN, DECODED),
    "report": (SENDING, REPORT),
    "event": (SENDING, EVENT, PERSON, HASHED),
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
