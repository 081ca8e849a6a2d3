"""What MMPs say of installs and in-app events: one file each, a row here.

`provider.py` reads by a table, `members.py` takes requests apart, `values.py` reads values, and
`apple.py` recognises Apple's own postbacks among them.
"""

from collections.abc import Mapping

from skan_receiver.mmp.providers.adjust import ADJUST
from skan_receiver.mmp.providers.airbridge import AIRBRIDGE
from skan_receiver.mmp.providers.appsflyer import APPSFLYER
from skan_receiver.mmp.providers.branch import BRANCH
from skan_receiver.mmp.providers.generic import GENERIC
from skan_receiver.mmp.providers.kochava import KOCHAVA
from skan_receiver.mmp.providers.provider import Provider
from skan_receiver.mmp.providers.singular import SINGULAR

__all__ = ["PROVIDERS", "Provider"]

# The table of contents.
PROVIDERS: Mapping[str, Provider] = {
    each.name: each for each in (APPSFLYER, ADJUST, BRANCH, SINGULAR, KOCHAVA, AIRBRIDGE, GENERIC)
}
