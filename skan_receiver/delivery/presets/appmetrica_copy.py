"""AppMetrica, for an app's developer."""

from skan_receiver.delivery.presets.developer_copy import developer_copy
from skan_receiver.protocol import Framework

APPMETRICA_COPY = developer_copy(
    "appmetrica",
    "AppMetrica",
    "appmetrica.yandex",
    [Framework.SKADNETWORK],
    "Tracking on iOS 15, appmetrica.yandex.com/docs/en/mobile-tracking/ios15-tracking",
)
