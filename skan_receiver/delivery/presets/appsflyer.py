"""AppsFlyer, for ad networks."""

from skan_receiver.delivery.presets.common import COMMON, common_members
from skan_receiver.delivery.presets.parameters import with_ip
from skan_receiver.delivery.presets.preset import Member, Preset

APPSFLYER = Preset(
    name="appsflyer",
    title="AppsFlyer",
    role="network forward",
    kind="relay",
    parameters=(with_ip("ip"),),
    definition={
        "url": "https://skadpostbacks.appsflyer.com/api/postbacks",
        "frameworks": ["skadnetwork"],
        "endpoints": ["network"],
        # A macro alone would be a number. As text the page takes 10 digits of seconds, or 13 of
        # milliseconds.
        "add": {**COMMON, "timestamp": "{received_at_s}000"},
    },
    fields=(
        *common_members("not said"),
        Member("ip", "not said", "string", "the device's address, with `with_ip=yes`"),
        Member("timestamp", "not said", "string", "when the postback arrived, in milliseconds"),
    ),
    source=(
        "SKAN integration guide for ad networks, support.appsflyer.com 360011502657; "
        "its example as quoted by gameres.com 892684"
    ),
    confirmed="The guide has ad networks post Apple's postback here, with their own names added.",
    notes=(
        "AppsFlyer must know the network as an integrated partner. Retellings call "
        "`ad-network-campaign-id` mandatory. No page has an address for AdAttributionKit."
    ),
)
