"""When the first postbacks of an app that was just released can come."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

# Days from the release until the soonest postback of each window: the window of the soonest
# install, then Apple's own delay of a day or more.
# https://developer.apple.com/documentation/storekit/receiving-postbacks-in-multiple-conversion-windows
SOONEST = (2, 8, 36)

WRONG = "a day, as in 2026-10-14"


@dataclass(frozen=True, slots=True)
class Expected:
    """A release, and from when on each window's postbacks can come."""

    typed: str
    released: date | None = None
    wrong: str = ""

    @classmethod
    def of(cls, typed: str) -> "Expected":
        """Read the form."""
        typed = typed.strip()
        if not typed:
            return cls(typed)
        try:
            released = date.fromisoformat(typed)
        except ValueError:
            return cls(typed, wrong=WRONG)
        return cls(typed, released) if 2018 <= released.year <= 9000 else cls(typed, wrong=WRONG)

    @property
    def from_days(self) -> Sequence[date]:
        """The first day of each window's postbacks."""
        if self.released is None:
            return ()
        return [self.released + timedelta(days=days) for days in SOONEST]
