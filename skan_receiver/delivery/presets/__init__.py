"""Destinations that only lack what the customer knows. A preset is one file here and one line."""

from collections.abc import Mapping

from skan_receiver.delivery.presets.adjust import ADJUST
from skan_receiver.delivery.presets.adjust_copy import ADJUST_COPY
from skan_receiver.delivery.presets.airbridge import AIRBRIDGE
from skan_receiver.delivery.presets.appmetrica import APPMETRICA
from skan_receiver.delivery.presets.appmetrica_copy import APPMETRICA_COPY
from skan_receiver.delivery.presets.appsflyer import APPSFLYER
from skan_receiver.delivery.presets.appsflyer_copy import APPSFLYER_COPY
from skan_receiver.delivery.presets.bidding import BIDDING
from skan_receiver.delivery.presets.branch import BRANCH
from skan_receiver.delivery.presets.branch_copy import BRANCH_COPY
from skan_receiver.delivery.presets.fill import fill
from skan_receiver.delivery.presets.ga4 import GA4
from skan_receiver.delivery.presets.google_app import GOOGLE_APP
from skan_receiver.delivery.presets.kochava import KOCHAVA
from skan_receiver.delivery.presets.linkrunner_copy import LINKRUNNER_COPY
from skan_receiver.delivery.presets.meta_app import META_APP
from skan_receiver.delivery.presets.postback import DIALECT_POSTBACKS, POSTBACK
from skan_receiver.delivery.presets.preset import ROLES, UNCONFIRMED, Member, Parameter, Preset
from skan_receiver.delivery.presets.singular import SINGULAR
from skan_receiver.delivery.presets.snap_app import SNAP_APP
from skan_receiver.delivery.presets.tenjin_copy import TENJIN_COPY
from skan_receiver.delivery.presets.tiktok_app import TIKTOK_APP
from skan_receiver.delivery.presets.webhook import WEBHOOK
from skan_receiver.delivery.presets.webhook_relay import WEBHOOK_RELAY

# The table of contents.
PRESETS: Mapping[str, Preset] = {
    "appsflyer": APPSFLYER,
    "adjust": ADJUST,
    "airbridge": AIRBRIDGE,
    "branch": BRANCH,
    "kochava": KOCHAVA,
    "appmetrica": APPMETRICA,
    "appsflyer-copy": APPSFLYER_COPY,
    "adjust-copy": ADJUST_COPY,
    "branch-copy": BRANCH_COPY,
    "appmetrica-copy": APPMETRICA_COPY,
    "linkrunner-copy": LINKRUNNER_COPY,
    "tenjin-copy": TENJIN_COPY,
    "singular": SINGULAR,
    "ga4": GA4,
    "webhook": WEBHOOK,
    "webhook-relay": WEBHOOK_RELAY,
    "bidding": BIDDING,
    "google-app": GOOGLE_APP,
    "meta-app": META_APP,
    "tiktok-app": TIKTOK_APP,
    "snap-app": SNAP_APP,
    "postback": POSTBACK,
    **{preset.name: preset for preset in DIALECT_POSTBACKS},
}

__all__ = ["PRESETS", "ROLES", "UNCONFIRMED", "Member", "Parameter", "Preset", "fill"]
