"""Apple's attribution postbacks, read and verified.

    import skan_receiver as skan

    postback = skan.parse(body)          # or Malformed, which names the member at fault
    verdict = skan.verify(postback)      # skan.Verdict.VALID, ...
    skan.examine(body).reason            # never raises

Nothing here needs a server, a database or a network.
"""

from skan_receiver.errors import (
    ConfigurationError,
    Malformed,
    NotJson,
    SchemaError,
    SkanError,
    UnknownVersion,
)
from skan_receiver.protocol import (
    APPLE_KEYS,
    Examination,
    Framework,
    Judgement,
    Keys,
    Postback,
    Signature,
    Verdict,
    examine,
    identity,
    judge,
    parse,
    verify,
)

__all__ = [
    "APPLE_KEYS",
    "ConfigurationError",
    "Examination",
    "Framework",
    "Judgement",
    "Keys",
    "Malformed",
    "NotJson",
    "Postback",
    "SchemaError",
    "Signature",
    "SkanError",
    "UnknownVersion",
    "Verdict",
    "examine",
    "identity",
    "judge",
    "parse",
    "verify",
]
