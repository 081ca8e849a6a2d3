"""TikTok: the Events API for app events."""

from skan_receiver.delivery.presets.event_parameters import SETTINGS, asked
from skan_receiver.delivery.presets.parameters import KEY
from skan_receiver.delivery.presets.preset import Member, Parameter, Preset

TIKTOK_APP = Preset(
    name="tiktok-app",
    title="TikTok, Events API for apps",
    role="events",
    kind="event",
    parameters=(
        Parameter(
            "tiktok_app_id",
            "the app's id in TikTok's Events Manager",
            "7012345678901234567",
            "[0-9]{5,25}",
        ),
        Parameter("access-token", "the token that allows it", "c894…", KEY, secret=True),
        *asked(
            media_sources="tiktokglobal_int",
            events="af_purchase=Purchase,af_login=Login",
            installs="InstallApp",
        ),
    ),
    definition={
        "url": "https://business-api.tiktok.com/open_api/v1.3/event/track/",
        "headers": {"Access-Token": "{secret:access-token}"},
        "partner": "tiktok",
        "vendor": "tiktok",
        "body": {
            "event_source": "app",
            "event_source_id": "<tiktok_app_id>",
            "data": [
                {
                    "event": "{event}",
                    "event_time": "{event_time_s}",
                    "event_id": "{event_id}",
                    "user": {
                        "idfa": "{idfa}",
                        "idfv": "{idfv}",
                        "gaid": "{gaid}",
                        "att_status": "{att_word}",
                        "ip": "{ip}",
                        "user_agent": "{user_agent}",
                        "locale": "{language}",
                    },
                    "properties": {"currency": "{currency}", "value": "{revenue}"},
                    "app": {"app_id": "{store_id}", "app_version": "{app_version}"},
                    "ad": {
                        "callback": "{click_id}",
                        "campaign_id": "{campaign_id}",
                        "ad_id": "{ad_id}",
                        "is_retargeting": "{is_retargeting}",
                        "attributed": "{is_attributed}",
                    },
                    "limited_data_use": "{limited_data_use}",
                }
            ],
        },
        **SETTINGS,
    },
    fields=(
        Member("event_source", "required", "string", "app"),
        Member("event_source_id", "required", "string", "the app's id at TikTok"),
        Member("event", "required", "string", "by your mapping"),
        Member("event_time", "required", "integer", "in seconds"),
        Member("event_id", "optional", "string", "by which copies are told"),
        Member("idfa", "optional", "string", "Apple's advertising id"),
        Member("idfv", "optional", "string", "the id at the app's vendor"),
        Member("gaid", "optional", "string", "Google's advertising id"),
        Member(
            "att_status",
            "optional",
            "string",
            "AUTHORIZED, DENIED, NOT_DETERMINED, RESTRICTED or NOT_APPLICABLE",
        ),
        Member("ip", "optional", "string", "the device's address"),
        Member("user_agent", "optional", "string", "its user agent"),
        Member("locale", "optional", "string", "its language"),
        Member("value", "optional", "number", "what it was worth"),
        Member("currency", "optional", "string", "in which currency"),
        Member("app_id", "required", "string", "the store's id of the app"),
        Member("callback", "optional", "string", "TikTok's own id of the click"),
        Member("campaign_id", "optional", "string", "of the ad, where it is TikTok's own"),
        Member("attributed", "optional", "boolean", "whether it is given to TikTok's ad"),
        Member("limited_data_use", "optional", "boolean", "true for an opt-out in a US state"),
    ),
    source=(
        "Events API 2.0, business-api.tiktok.com/portal/docs, as read in "
        "github.com/segmentio/action-destinations, tiktok-app-events"
    ),
    confirmed=(
        "unconfirmed by vendor: the members are those of an integration that TikTok maintains; "
        "its own page is in no text we have"
    ),
    notes=(
        "Of a user who did not authorise it: name, time, value and `att_status`, and no identifier "
        "and no `ad`, but whether it is TikTok's. It answers 200 with a code of its own in the "
        "body: look at the answers of test deliveries. Not sent: hashed e-mail addresses and "
        "telephone numbers, which are never kept here."
    ),
)
