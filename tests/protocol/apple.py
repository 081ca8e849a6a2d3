"""What Apple has published as examples, and what is true of each.

Facts, checked signature by signature. Three of Apple's own examples verify under none of
Apple's keys: two were replaced later, one still names the production key.
"""

from typing import Any

_SHARED_ID = "6aafb7a5-0170-41b5-bbe4-fe71dedf1e28"

_COMMON = {
    "ad-network-id": "com.example",
    "campaign-id": 42,
    "transaction-id": _SHARED_ID,
    "app-id": 525463029,
    "redownload": True,
    "source-app-id": 1234567891,
    "conversion-value": 20,
}

_WEB = {
    "version": "4.0",
    "ad-network-id": "com.example",
    "app-id": 525463029,
    "redownload": False,
    "source-domain": "example.com",
    "fidelity-type": 1,
    "did-win": True,
    "postback-sequence-index": 0,
}

# (name, body, verdict, id of the key that judged)
SKADNETWORK: list[tuple[str, dict[str, Any], str, str]] = [
    (
        "2.0, as corrected in 2020",
        _COMMON
        | {
            "version": "2.0",
            "attribution-signature": "MDYCGQD0AdGn5gUnSuVGk8Wi0IgxzWiKdBzwJrQCGQCJfkrI5bda93EC4Xm1H+MtNxstFmnVBn0=",  # noqa: E501
        },
        "valid",
        "apple/P-192",
    ),
    (
        "2.1",
        _COMMON
        | {
            "version": "2.1",
            "attribution-signature": "MEUCID6rbq3qt4GvFaAaynh5/LAcvn1d8CQTRhrZhLIxLKntAiEAo7IrvoMw6u2qDg6Tr5vIsEHXjlLkPlCOL0ojJcEh3Qw=",  # noqa: E501
        },
        "valid",
        "apple/P-256",
    ),
    (
        "2.2",
        _COMMON
        | {
            "version": "2.2",
            "fidelity-type": 1,
            "attribution-signature": "MEYCIQDTuQ1Z4Tpy9D3aEKbxLl5J5iKiTumcqZikuY/AOD2U7QIhAJAaiAv89AoquHXJffcieEQXdWHpcV8ZgbKN0EwV9/sY",  # noqa: E501
        },
        "valid",
        "apple/P-256",
    ),
    (
        "3.0, won",
        _COMMON
        | {
            "version": "3.0",
            "ad-network-id": "example123.skadnetwork",
            "fidelity-type": 1,
            "did-win": True,
            "attribution-signature": "MEYCIQD5eq3AUlamORiGovqFiHWI4RZT/PrM3VEiXUrsC+M51wIhAPMANZA9c07raZJ64gVaXhB9+9yZj/X6DcNxONdccQij",  # noqa: E501
        },
        "valid",
        "apple/P-256",
    ),
    (
        "3.0, lost: no source app, no value",
        {
            "version": "3.0",
            "ad-network-id": "example123.skadnetwork",
            "campaign-id": 42,
            "transaction-id": "f9ac267a-a889-44ce-b5f7-0166d11461f0",
            "app-id": 525463029,
            "redownload": True,
            "fidelity-type": 1,
            "did-win": False,
            "attribution-signature": "MEUCIQDDetUtkyc/MiQvVJ5I6HIO1E7l598572Wljot2Onzd4wIgVJLzVcyAV+TXksGNoa0DTMXEPgNPeHCmD4fw1ABXX0g=",  # noqa: E501
        },
        "valid",
        "apple/P-256",
    ),
    (
        "4.0 from the web, high tier",
        _WEB
        | {
            "source-identifier": "5239",
            "transaction-id": "6aafb7a5-0170-41b5-bbe4-fe71dedf1e30",
            "conversion-value": 63,
            "attribution-signature": "MEUCIGRmSMrqedNu6uaHyhVcifs118R5z/AB6cvRaKrRRHWRAiEAv96ne3dKQ5kJpbsfk4eYiePmrZUU6sQmo+7zfP/1Bxo=",  # noqa: E501
        },
        "valid",
        "apple/P-256",
    ),
    (
        "4.0 from the web, low tier",
        _WEB
        | {
            "source-identifier": "39",
            "transaction-id": "6aafb7a5-0170-41b5-bbe4-fe71dedf1e31",
            "coarse-conversion-value": "high",
            "attribution-signature": "MEUCIQD4rX6eh38qEhuUKHdap345UbmlzA7KEZ1bhWZuYM8MJwIgMnyiiZe6heabDkGwOaKBYrUXQhKtF3P/ERHqkR/XpuA=",  # noqa: E501
        },
        "valid",
        "apple/P-256",
    ),
    (
        "1.0, the first example, which never verified",
        {
            "ad-network-id": "com.example",
            "transaction-id": _SHARED_ID,
            "campaign-id": 42,
            "app-id": 1229670720,
            "attribution-signature": "MDYCGQCsQ4y8d4BlYU9b8Qb9BPWPi+ixk/OiRysCGQDZZ8fpJnuqs9my8iSQVbJO/oU1AXUROYU=",  # noqa: E501
        },
        "invalid",
        "apple/P-192",
    ),
    (
        "2.0, the first example: 1.0's signature, and redownload printed as 1",
        _COMMON
        | {
            "version": "2.0",
            "redownload": 1,
            "attribution-signature": "MDYCGQCsQ4y8d4BlYU9b8Qb9BPWPi+ixk/OiRysCGQDZZ8fpJnuqs9my8iSQVbJO/oU1AXUROYU=",  # noqa: E501
        },
        "malformed",
        "",
    ),
]

# The header's JSON writes the slash of the kid as \/, which is under the signature.
_FROM_SETTINGS = "eyJraWQiOiJhcHBsZS1kZXZlbG9wbWVudC1pZGVudGlmaWVyXC8xIiwiYWxnIjoiRVMyNTYifQ.eyJwb3N0YmFjay1pZGVudGlmaWVyIjoiODU1NDZFQjctRkQzOS00NEJDLTg5OTAtQzk4QTRBQzM2QTQ5IiwicHVibGlzaGVyLWl0ZW0taWRlbnRpZmllciI6MCwibWFya2V0cGxhY2UtaWRlbnRpZmllciI6ImNvbS5hcHBsZS5BcHBTdG9yZSIsImltcHJlc3Npb24tdHlwZSI6ImFwcC1pbXByZXNzaW9uIiwiYWQtbmV0d29yay1pZGVudGlmaWVyIjoiZGV2ZWxvcG1lbnQuYWRhdHRyaWJ1dGlvbmtpdCIsImRpZC13aW4iOnRydWUsInBvc3RiYWNrLXNlcXVlbmNlLWluZGV4IjowLCJjb252ZXJzaW9uLXR5cGUiOiJyZS1lbmdhZ2VtZW50Iiwic291cmNlLWlkZW50aWZpZXIiOiIxMjM0IiwiYWR2ZXJ0aXNlZC1pdGVtLWlkZW50aWZpZXIiOjEwNzM4MDI3NzU2fQ.bAdNwKd6OfHK9tofvjjua4X_JPcFTxXPQSspD9gZkinw97pY7R1aI-LSjl-oxZZF3_K2H5JK5TSEBee4_1U4oQ"  # noqa: E501

_OLD = "eyJraWQiOiJhcHBsZS1jYXMtaWRlbnRpZmllci8wIiwiYWxnIjoiRVMyNTYifQ.eyJhZHZlcnRpc2VkLWl0ZW0taWRlbnRpZmllciI6Njg0OTM5LCJjb252ZXJzaW9uLXR5cGUiOiJyZS1lbmdhZ2VtZW50IiwibWFya2V0cGxhY2UtaWRlbnRpZmllciI6ImNvbS5hcHBsZS5BcHBTdG9yZSIsImFkLW5ldHdvcmstaWRlbnRpZmllciI6InRlc3QuYWRhdHRyaWJ1dGlvbmtpdCIsImltcHJlc3Npb24tdHlwZSI6ImFwcC1pbXByZXNzaW9uIiwicG9zdGJhY2stc2VxdWVuY2UtaW5kZXgiOjAsInNvdXJjZS1pZGVudGlmaWVyIjoiODM0NCIsImRpZC13aW4iOnRydWUsInBvc3RiYWNrLWlkZW50aWZpZXIiOiIzZjUwZmU1Ny0yOWFlLTQ4NjEtOGMwYi1hYzZhZGRkZmY3MmMiLCJwdWJsaXNoZXItaXRlbS1pZGVudGlmaWVyIjo1ODM4NDkyfQ.AemK1x2ahIPKOnFEEscG4wvipRtR1G6DzpNF4M4joPb8POIH4FJjm4VvcNgLXc9rWBrEDQPvDblduoc7MFcK5w"  # noqa: E501

_OLD_BODY = {
    "ad-interaction-type": "click",
    "jws-string": _OLD,
    "coarse-conversion-value": "medium",
}

ADATTRIBUTIONKIT: list[tuple[str, dict[str, Any], str, str]] = [
    (
        "a development postback made in Settings",
        {
            "jws-string": _FROM_SETTINGS,
            "conversion-value": 24,
            "ad-interaction-type": "click",
            "country-code": "US",
        },
        "development",
        "apple-development-identifier/1",
    ),
    (
        "the 2024 example, under no key of Apple's",
        _OLD_BODY,
        "invalid",
        "apple-cas-identifier/0",
    ),
    (
        "the same in 2025, with a country",
        _OLD_BODY | {"country-code": "US"},
        "invalid",
        "apple-cas-identifier/0",
    ),
    (
        "the same on a slide of WWDC25, with another country",
        _OLD_BODY | {"country-code": "MT"},
        "invalid",
        "apple-cas-identifier/0",
    ),
]

PUBLISHED = SKADNETWORK + ADATTRIBUTIONKIT
NAMES = [name for name, *_ in PUBLISHED]
BODIES = {name: body for name, body, *_ in PUBLISHED}
