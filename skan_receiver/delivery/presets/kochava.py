"""Kochava, for ad networks."""

from skan_receiver.delivery.presets.parameters import LABEL
from skan_receiver.delivery.presets.preset import Parameter, Preset

KOCHAVA = Preset(
    name="kochava",
    title="Kochava",
    role="network forward",
    kind="relay",
    parameters=(
        Parameter("subdomain", "the subdomain that Kochava set up for the network", "acme", LABEL),
    ),
    definition={
        "url": "https://<subdomain>.adsmeasurement.com/v1/skad/postback",
        "frameworks": ["skadnetwork"],
        "endpoints": ["network"],
    },
    source=(
        "SKAdNetwork Partner Certification, support.kochava.com/reference-information/"
        "integrate-with-kochava-as-a-networkpublisher/skad-network-integration/"
    ),
    confirmed="The page has ad networks forward Apple's postback here, every member of it.",
    notes=(
        "Goes out as Apple sent it. The page invites a network's names of campaigns too, but what "
        "its members for them are called is in no text we have. It prints the address without "
        "`https://`. No page has an address for AdAttributionKit."
    ),
)
