"""Tenjin, for an app's developer."""

from skan_receiver.delivery.presets.developer_copy import developer_copy
from skan_receiver.protocol import Framework

TENJIN_COPY = developer_copy(
    "tenjin",
    "Tenjin",
    "tenjin-skan.com",
    [Framework.SKADNETWORK],
    "README of the Tenjin Unity SDK, github.com/tenjin/tenjin-unity-sdk",
)
