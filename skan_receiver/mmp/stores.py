"""Where tracking links lead to: the App Store, or Google Play, and nowhere else."""

import re
from dataclasses import dataclass
from urllib.parse import urlencode

from skan_receiver.mmp.providers.values import LARGEST_INTEGER

_APP_STORE = re.compile("[0-9]{1,19}")
# https://developer.android.com/build/configure-app-module#set-application-id
_PACKAGE = re.compile(r"(?=.{3,150}\Z)[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)+")

# What our click id is called in Play's install referrer.
CLICK_ID = "click_id"


@dataclass(frozen=True, slots=True)
class App:
    """An app in its store: by its number at Apple, or by its package's name at Google."""

    app_id: int | None = None
    bundle_id: str | None = None

    @classmethod
    def of(cls, said: str) -> "App":
        """ValueError where it is neither."""
        if _APP_STORE.fullmatch(said) and 0 < int(said) <= LARGEST_INTEGER:
            return cls(app_id=int(said))
        if _PACKAGE.fullmatch(said):
            return cls(bundle_id=said)
        raise ValueError("neither an App Store id, as in 525463029, nor a package's name, as in "
                         "com.example.game")  # fmt: skip

    def __str__(self) -> str:
        return str(self.app_id or self.bundle_id)

    def page(self, click_id: str | None = None) -> str:
        """The app's page in its store.

        Google Play hands the referrer on to the app. The App Store hands on nothing: its campaign
        token (`ct`) ends in Apple's own statistics, which name nobody.
        """
        if self.app_id is not None:
            return f"https://apps.apple.com/app/id{self.app_id}"
        said = {"id": self.bundle_id}
        if click_id is not None:
            said["referrer"] = urlencode({CLICK_ID: click_id})
        return "https://play.google.com/store/apps/details?" + urlencode(said)
