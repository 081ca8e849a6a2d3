"""Snap: the Conversions API, version 3, for app events."""

from skan_receiver.delivery.presets.event_parameters import LDU, LDU_MEMBER, SETTINGS, TOKEN, asked
from skan_receiver.delivery.presets.parameters import WORD
from skan_receiver.delivery.presets.preset import Member, Parameter, Preset

SNAP_APP = Preset(
    name="snap-app",
    title="Snap, Conversions API for apps",
    role="events",
    kind="event",
    parameters=(
        Parameter("snap_app_id", "the Snap App ID", "8b2c7f4e-1c1d-4c7e-9a55-1f2e3d4c5b6a", WORD),
        TOKEN,
        *asked(
            media_sources="snapchat_int",
            events="af_purchase=PURCHASE,af_login=LOGIN",
            installs="APP_INSTALL",
        ),
    ),
    definition={
        "url": "https://tr.snapchat.com/v3/<snap_app_id>/events?access_token={secret:access-token}",
        "partner": "snap",
        "vendor": "snap",
        "body": {
            "data": [
                {
                    "event_name": "{event}",
                    "event_time": "{event_time_s}",
                    "event_id": "{event_id}",
                    "action_source": "MOBILE_APP",
                    "app_data": {
                        "app_id": "{store_id}",
                        "advertiser_tracking_enabled": "{tracking_enabled}",
                        "extinfo": "{extinfo}",
                    },
                    "user_data": {
                        "madid": "{advertising_id}",
                        "idfv": "{idfv}",
                        "external_id": ["{customer_user_id_sha256}"],
                        "sc_click_id": "{click_id}",
                        "client_ip_address": "{ip}",
                        "client_user_agent": "{user_agent}",
                    },
                    "custom_data": {
                        "value": "{revenue}",
                        "currency": "{currency}",
                        "order_id": "{order_id}",
                    },
                    **LDU,
                }
            ]
        },
        **SETTINGS,
    },
    fields=(
        Member("event_name", "required", "string", "by your mapping"),
        Member("event_time", "required", "integer", "in seconds, at most 37 days ago"),
        Member("action_source", "required", "string", "MOBILE_APP"),
        Member("event_id", "optional", "string", "by which copies are told"),
        Member("app_id", "not said", "string", "the store's id of the app"),
        Member("advertiser_tracking_enabled", "required", "integer", "1 where authorised, else 0"),
        Member("extinfo", "required", "list", "sixteen texts, in order, as Meta has them"),
        Member("madid", "optional", "string", "the advertising id, as it is"),
        Member("idfv", "optional", "string", "the id at the app's vendor"),
        Member("external_id", "optional", "list", "the SHA-256 of your name for the user"),
        Member("sc_click_id", "optional", "string", "Snap's own id of the click"),
        Member("client_ip_address", "optional", "string", "the device's address"),
        Member("client_user_agent", "optional", "string", "its user agent"),
        Member("value", "optional", "number", "what it was worth"),
        Member("currency", "optional", "string", "in which currency"),
        Member("order_id", "optional", "string", "the purchase's id"),
        LDU_MEMBER,
    ),
    source=(
        "Conversions API, Using the API and Parameters, "
        "developers.snap.com/api/marketing-api/Conversions-API; the members of app_data and "
        "user_data also github.com/segmentio/action-destinations, snap-conversions-api"
    ),
    confirmed=(
        "The page has servers send this. It is Snap's own integration elsewhere that says what "
        "user_data must have."
    ),
    notes=(
        "It wants an advertising id, or an address and a user agent, of every event (or what is "
        "never kept here: e-mail addresses and telephone numbers). So an event of a user who did "
        "not authorise it is held. The name of an install is Snap's older one: check it in Events "
        "Manager."
    ),
)
