"""What the device reports beside the signature. Anyone on the way may have changed it.

A value outside its range does not make a genuine postback worthless: the value is taken
as absent, and its member is named in the postback's flags. A wrong type is malformed.
"""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from skan_receiver.errors import Malformed
from skan_receiver.protocol.text import KINDS

# Each with its field of the postback, its type, and what is in range.
# https://developer.apple.com/documentation/storekit/identifying-the-parameters-in-install-validation-postbacks
# https://developer.apple.com/documentation/adattributionkit/identifying-the-parameters-in-a-postback
UNSIGNED_MEMBERS: dict[str, tuple[str, type, Callable[[Any], object]]] = {
    "conversion-value": ("fine_value", int, range(64).__contains__),
    "coarse-conversion-value": ("coarse_value", str, {"low", "medium", "high"}.__contains__),
    "country-code": ("country", str, re.compile("[A-Za-z]{2}").fullmatch),
    "ad-interaction-type": ("interaction_type", str, {"view", "click"}.__contains__),
}

FIELDS = [field for field, _, _ in UNSIGNED_MEMBERS.values()]


def reported(members: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """The unsigned members `names`, as fields of a Postback."""
    fields: dict[str, Any] = dict.fromkeys(FIELDS)
    flags = []
    for name in names:
        if (value := members.get(name)) is None:
            continue
        field, kind, in_range = UNSIGNED_MEMBERS[name]
        if type(value) is not kind:
            raise Malformed(f"expected {KINDS[kind]}, got {KINDS[type(value)]}", name)
        if in_range(value):
            fields[field] = value
            continue
        flags.append(name)
    fields["flags"] = tuple(flags)
    return fields
