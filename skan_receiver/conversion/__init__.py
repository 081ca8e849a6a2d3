"""What the advertiser means: schemas, and what values say under them.

Pure: no web, no database. A schema is read once (`load_schema`), is immutable, and gives one
`Meaning` for each window and value.
"""

from skan_receiver.conversion.decode import Decoded, decode
from skan_receiver.conversion.encode import Encoded, encode
from skan_receiver.conversion.load import check, load_folder, load_schema
from skan_receiver.conversion.meaning import EventCount, Meaning, Revenue
from skan_receiver.conversion.problems import Problem
from skan_receiver.conversion.ranges import Range
from skan_receiver.conversion.schema import Schema
from skan_receiver.conversion.user import User, UserEvent

__all__ = [
    "Decoded",
    "Encoded",
    "EventCount",
    "Meaning",
    "Problem",
    "Range",
    "Revenue",
    "Schema",
    "User",
    "UserEvent",
    "check",
    "decode",
    "encode",
    "load_folder",
    "load_schema",
]
