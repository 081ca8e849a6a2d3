"""What is looked for. To add a rule is one file and one line here."""

from types import MappingProxyType

from skan_receiver.alerting.rule import Rule
from skan_receiver.alerting.rules.ambiguity import AMBIGUITY
from skan_receiver.alerting.rules.backlog import BACKLOG
from skan_receiver.alerting.rules.caps import CAPS
from skan_receiver.alerting.rules.delivery_failing import DELIVERY_FAILING
from skan_receiver.alerting.rules.endpoint import ENDPOINT
from skan_receiver.alerting.rules.invalid_share import INVALID_SHARE
from skan_receiver.alerting.rules.null_rate import NULL_RATE
from skan_receiver.alerting.rules.silent_network import SILENT_NETWORK
from skan_receiver.alerting.rules.test_keys import TEST_KEYS

# The table of contents.
RULES: MappingProxyType[str, Rule] = MappingProxyType(
    {
        rule.name: rule
        for rule in (
            ENDPOINT,
            NULL_RATE,
            INVALID_SHARE,
            SILENT_NETWORK,
            DELIVERY_FAILING,
            AMBIGUITY,
            TEST_KEYS,
            CAPS,
            BACKLOG,
        )
    }
)
