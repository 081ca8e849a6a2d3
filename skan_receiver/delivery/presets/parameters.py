"""What several presets ask for.

A pattern lets through what stays where it is put: nothing that ends a part of a URL, nothing that
begins a macro. Only a label of a host, or a whole URL, has a say in where a request goes.
"""

from skan_receiver.delivery.presets.preset import Parameter

LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
WORD = "[A-Za-z0-9._-]{1,100}"
KEY = "[A-Za-z0-9_-]{4,200}"
_AD_NETWORK = "[A-Za-z0-9.-]{1,200}"

URL = Parameter(
    "url",
    "the receiver's address, https and without a query",
    "https://partner.example/skan",
    rf"https://{LABEL}(\.{LABEL})+(:[0-9]{{1,5}})?(/[A-Za-z0-9._~-]+)*/?",
)
# 24 to 64 bytes, which Standard Webhooks asks for, are 32 to 88 characters.
SIGNING = Parameter(
    "signing",
    "a key to sign with, of 24 to 64 random bytes, in base64 after whsec_",
    "whsec_…",
    "whsec_[A-Za-z0-9+/]{32,88}={0,2}",
    secret=True,
)
PARTNER = Parameter(
    "partner",
    "who gets it: a partner's name, or `own` for yourself",
    "acme",
    "[A-Za-z0-9][A-Za-z0-9 ._-]{0,99}",
    default="own",
)
AD_NETWORKS = Parameter(
    "ad_networks",
    "the partner's ad-network ids, with commas between them",
    "abc123.skadnetwork,abc123.adattributionkit",
    f"{_AD_NETWORK}(,{_AD_NETWORK})*",
)
# A partner sees its own networks only; yourself, all of them unless you name some.
SOME_AD_NETWORKS = Parameter(
    AD_NETWORKS.name,
    f"{AD_NETWORKS.what}; none for all",
    AD_NETWORKS.example,
    f"({AD_NETWORKS.pattern})?",
    default="",
)


def with_ip(member: str) -> Parameter:
    """Whether the vendor is told the device's address too, under the name it documents."""
    return Parameter(
        "with_ip",
        f"`yes` to pass the device's address on as `{member}`, which is personal data",
        "no",
        "yes|no",
        default="no",
        adds={"needs_ip": True, "add": {member: "{ip}"}},
    )
