"""Apple's attribution postbacks, read, verified and decoded.

    import skan_receiver as skan

    postback = skan.parse(body)          # or Malformed, which names the member at fault
    verdict = skan.verify(postback)      # skan.Verdict.VALID, ...
    skan.examine(body).reason            # never raises

    schema = skan.load_schema("conversion_schemas/525463029.yaml")
    print(skan.decode(postback, schema)) # purchase once, revenue under 10.00 USD

Nothing here needs a server, a database or a network.
"""

from skan_receiver.conversion import (
    Decoded,
    Encoded,
    Meaning,
    Schema,
    User,
    UserEvent,
    decode,
    encode,
    load_folder,
    load_schema,
)
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
    "Decoded",
    "Encoded",
    "Examination",
    "Framework",
    "Judgement",
    "Keys",
    "Malformed",
    "Meaning",
    "NotJson",
    "Postback",
    "Schema",
    "SchemaError",
    "Signature",
    "SkanError",
    "UnknownVersion",
    "User",
    "UserEvent",
    "Verdict",
    "decode",
    "encode",
    "examine",
    "identity",
    "judge",
    "load_folder",
    "load_schema",
    "parse",
    "verify",
]
