"""Branch, for an app's developer."""

from skan_receiver.delivery.presets.developer_copy import developer_copy
from skan_receiver.protocol import Framework

BRANCH_COPY = developer_copy(
    "branch",
    "Branch",
    "branch-skan.com",
    [Framework.SKADNETWORK],
    "SKAdNetwork Direct Postback, help.branch.io skadnetwork-direct-postback",
)
