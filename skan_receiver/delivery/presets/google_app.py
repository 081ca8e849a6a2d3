"""Google Ads: the App Conversion Tracking and Remarketing API."""

from skan_receiver.delivery.presets.event_parameters import SETTINGS, asked
from skan_receiver.delivery.presets.parameters import KEY
from skan_receiver.delivery.presets.preset import Member, Parameter, Preset

_QUERY = {
    "dev_token": "{secret:dev-token}",
    "link_id": "{secret:link-id}",
    "app_event_type": "{event}",
    "rdid": "{advertising_id}",
    "id_type": "{advertising_id_type}",
    "lat": "{lat}",
    "app_version": "{app_version}",
    "os_version": "{os_version}",
    "sdk_version": "{sdk_version}",
    "timestamp": "{event_time_us}",
    "value": "{revenue}",
    "currency_code": "{currency}",
    "eea": "{eea}",
    "ad_user_data": "{ad_user_data}",
    "ad_personalization": "{ad_personalization}",
}

GOOGLE_APP = Preset(
    name="google-app",
    title="Google Ads, app conversions",
    role="events",
    kind="event",
    parameters=(
        Parameter(
            "dev-token", "the developer token of your Google Ads account", "Zx8v…", KEY, secret=True
        ),
        Parameter(
            "link-id", "the link id made in Google Ads for this app", "31FF…", KEY, secret=True
        ),
        *asked(
            media_sources="googleadwords_int",
            events="af_purchase=in_app_purchase,af_add_to_cart=add_to_cart",
            installs="first_open",
        ),
    ),
    definition={
        "url": "https://www.googleadservices.com/pagead/conversion/app/1.0?"
        + "&".join(f"{name}={value}" for name, value in _QUERY.items()),
        "headers": {"User-Agent": "{user_agent}", "X-Forwarded-For": "{ip}"},
        "partner": "google",
        "vendor": "google",
        **SETTINGS,
    },
    fields=(
        Member("dev_token", "required", "string", "the developer token"),
        Member("link_id", "required", "string", "the link id"),
        Member(
            "app_event_type",
            "required",
            "string",
            "first_open, session_start, in_app_purchase, view_item_list, view_item, "
            "view_search_results, add_to_cart, ecommerce_purchase or custom: write these into "
            "`events` and `installs`",
        ),
        Member("rdid", "required", "string", "the advertising id"),
        Member("id_type", "required", "string", "idfa or advertisingid"),
        Member("lat", "required", "integer", "1 where tracking is limited or that is not known"),
        Member("app_version", "required", "string", "the app's version"),
        Member("os_version", "required", "string", "the system's version"),
        Member("sdk_version", "required", "string", "the version of the SDK that told of it"),
        Member("timestamp", "required", "string", "in seconds, with six decimals"),
        Member("value", "optional", "number", "what it was worth"),
        Member("currency_code", "optional", "string", "in which currency"),
        Member("eea", "not said", "integer", "1 where the GDPR or its like holds, else 0"),
        Member("ad_user_data", "not said", "integer", "1 or 0; absent where nothing was said"),
        Member("ad_personalization", "not said", "integer", "1 or 0; absent likewise"),
    ),
    source=(
        "Request/Response Specifications and Privacy Compliant App Attribution, "
        "developers.google.com/app-conversion-tracking/api; ad_user_data and ad_personalization: "
        "help.adjust.com google-compliancy-with-the-dma"
    ),
    confirmed=(
        "The pages have partners and advertisers send this from a server. That a header "
        "`X-Forwarded-For` is the device's address, and the names of the three members of consent, "
        "are in texts we have of them; their table of parameters is not."
    ),
    notes=(
        "Nothing is sent without an identifier: Google requires one of every request, so an event "
        "of a user who did not authorise it is held. Not sent: `gclid`, `gbraid` and "
        "`market_referrer_gclid` (no text of an MMP says by which name it tells them), and a "
        "`rdid` of zeros. A custom event wants `app_event_name` too: a destination of its own, "
        "with `events` of that one name and `&app_event_name={event_name}` in its URL. Google "
        "answers whether its ads led to it, so it is usually sent all: `attributed=all`."
    ),
)
