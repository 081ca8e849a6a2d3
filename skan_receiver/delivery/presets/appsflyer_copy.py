"""AppsFlyer, for an app's developer."""

from skan_receiver.delivery.presets.developer_copy import developer_copy
from skan_receiver.protocol import Framework

APPSFLYER_COPY = developer_copy(
    "appsflyer",
    "AppsFlyer",
    "appsflyer-skadnetwork.com",
    [Framework.SKADNETWORK, Framework.ADATTRIBUTIONKIT],
    "Send SKAN postback copies directly to AppsFlyer, support.appsflyer.com 4402320969617; "
    "Setting the Customer User ID, of the iOS SDK 7, customer-user-id-ios-7, for both frameworks",
)
