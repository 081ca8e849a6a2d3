"""AppMetrica, for ad networks."""

from skan_receiver.delivery.presets.common import COMMON, common_members
from skan_receiver.delivery.presets.parameters import with_ip
from skan_receiver.delivery.presets.preset import Member, Preset

APPMETRICA = Preset(
    name="appmetrica",
    title="AppMetrica",
    role="network forward",
    kind="relay",
    parameters=(with_ip("ip"),),
    definition={
        "url": "https://skadnet-postback.yandex.net/postback",
        "frameworks": ["skadnetwork"],
        "endpoints": ["network"],
        "add": COMMON,
    },
    fields=(
        *common_members("optional"),
        Member("ip", "optional", "string", "the device's address, with `with_ip=yes`"),
        Member("timestamp", "optional", "string", "not sent: the page does not say its unit"),
    ),
    source=(
        "Integration for ad networks within SKAdNetwork, "
        "appmetrica.yandex.com/docs/en/mobile-tracking/ios-tracking-skadnetwork"
    ),
    confirmed="The page has ad networks post Apple's postback here, as it is or with their names.",
    notes=(
        "No token and no list of addresses. It answers 400 to a wrong value. Its table requires "
        "`campaign-id`, which SKAdNetwork 4 has no more: whether it takes version 4 is not said. "
        "No page has an address for AdAttributionKit."
    ),
)
