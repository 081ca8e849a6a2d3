"""Linkrunner, for an app's developer."""

from skan_receiver.delivery.presets.developer_copy import developer_copy
from skan_receiver.protocol import Framework

LINKRUNNER_COPY = developer_copy(
    "linkrunner",
    "Linkrunner",
    "linkrunner-skan.com",
    [Framework.SKADNETWORK, Framework.ADATTRIBUTIONKIT],
    "SKAdNetwork Integration Guide, docs.linkrunner.io/sdk/skadnetwork-integration",
)
