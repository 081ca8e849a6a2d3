"""Adjust, for an app's developer."""

from skan_receiver.delivery.presets.developer_copy import developer_copy
from skan_receiver.protocol import Framework

ADJUST_COPY = developer_copy(
    "adjust",
    "Adjust",
    "adjust-skadnetwork.com",
    [Framework.SKADNETWORK],
    "Set up direct install postbacks, dev.adjust.com/en/sdk/unity/features/skad",
)
