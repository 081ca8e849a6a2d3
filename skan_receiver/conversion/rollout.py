"""How long it takes until every device uses a version, as people write it."""

import re

UNITS = {"": 1, "h": 1, "d": 24, "w": 168}
LONGEST = 10_000  # hours, more than a year: a slip of the finger


def rollout_hours(text: str) -> int:
    """48h, 2d, 2w or a number of hours, in hours. ValueError says how to write it."""
    found = re.fullmatch(r"(\d{1,5})([hdw]?)", text)
    if found is None or (hours := int(found[1]) * UNITS[found[2]]) > LONGEST:
        raise ValueError("is no roll-out: write 48h, 2d or 2w")
    return hours
