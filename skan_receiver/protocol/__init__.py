"""What Apple says: reading, verifying and naming postbacks. Pure: no web, no store, no clock.

    bytes -> parse -> Postback -> judge -> Judgement -> identity

Each stage is a module; this is all that the rest of the house uses.
"""

from skan_receiver.protocol.examine import Examination, examine
from skan_receiver.protocol.identity import identities, identity
from skan_receiver.protocol.key import Key, Trust
from skan_receiver.protocol.keys import APPLE_KEYS, Keys
from skan_receiver.protocol.postback import Framework, Postback, Signature, Verdict
from skan_receiver.protocol.read import Body, bodies, parse
from skan_receiver.protocol.verify import Judgement, judge, verify

__all__ = [
    "APPLE_KEYS",
    "Body",
    "Examination",
    "Framework",
    "Judgement",
    "Key",
    "Keys",
    "Postback",
    "Signature",
    "Trust",
    "Verdict",
    "bodies",
    "examine",
    "identities",
    "identity",
    "judge",
    "parse",
    "verify",
]
