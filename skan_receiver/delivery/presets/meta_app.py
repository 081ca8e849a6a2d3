"""Meta: the Conversions API for app events."""

from skan_receiver.delivery.presets.event_parameters import LDU, LDU_MEMBER, SETTINGS, TOKEN, asked
from skan_receiver.delivery.presets.preset import Member, Parameter, Preset

META_APP = Preset(
    name="meta-app",
    title="Meta, Conversions API for app events",
    role="events",
    kind="event",
    parameters=(
        Parameter("dataset_id", "the dataset's id in Events Manager", "1234567890", "[0-9]{5,20}"),
        Parameter("version", "the Graph API's version", "v24.0", r"v[0-9]{1,2}\.[0-9]"),
        TOKEN,
        *asked(
            media_sources="Facebook Ads",
            events="af_purchase=Purchase,af_login=Login",
            installs="MobileAppInstall",
        ),
    ),
    definition={
        "url": "https://graph.facebook.com/<version>/<dataset_id>/events"
        "?access_token={secret:access-token}",
        "partner": "meta",
        "vendor": "meta",
        "body": {
            "data": [
                {
                    "event_name": "{event}",
                    "event_time": "{event_time_s}",
                    "event_id": "{event_id}",
                    "action_source": "app",
                    "app_data": {
                        "advertiser_tracking_enabled": "{tracking_enabled}",
                        "application_tracking_enabled": "{ad_user_data}",
                        "extinfo": "{extinfo}",
                    },
                    "user_data": {
                        "madid": "{advertising_id}",
                        "external_id": ["{customer_user_id_sha256}"],
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
        Member("event_time", "required", "integer", "in seconds"),
        Member("action_source", "required", "string", "app"),
        Member("event_id", "optional", "string", "by which copies are told"),
        Member("advertiser_tracking_enabled", "required", "integer", "1 where authorised, else 0"),
        Member(
            "application_tracking_enabled",
            "optional",
            "integer",
            "the consent to use data for ads, where one was told; one edition requires it",
        ),
        Member(
            "extinfo",
            "required",
            "list",
            "sixteen texts, in order; what is not told is empty, as the page asks",
        ),
        Member("madid", "optional", "string", "the advertising id, as it is"),
        Member("external_id", "optional", "list", "the SHA-256 of your name for the user"),
        Member("client_ip_address", "optional", "string", "the device's address"),
        Member("client_user_agent", "optional", "string", "its user agent"),
        Member("value", "optional", "number", "what it was worth"),
        Member("currency", "optional", "string", "in which currency"),
        Member("order_id", "optional", "string", "the purchase's id"),
        LDU_MEMBER,
    ),
    source=(
        "Conversions API for App Events, and its parameters, "
        "developers.facebook.com/docs/marketing-api/conversions-api/app-events"
    ),
    confirmed=(
        "The pages have servers send this. Whether an event without `user_data` (a user who did "
        "not authorise it) is taken is not in a text we have."
    ),
    notes=(
        "Of a user who did not authorise it: name, time and value, "
        "`advertiser_tracking_enabled` 0, and no identifier. Where the system's version must not "
        "be told either, it is an empty text in `extinfo`. Not sent: `anon_id`, `campaign_ids`, "
        "`install_referrer`, which no MMP tells. The name of an install is the older App Events "
        "API's."
    ),
)
