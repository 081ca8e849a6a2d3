"""Any ad network: a GET with each event, as MMPs send postbacks."""

from skan_receiver.delivery.presets.event_parameters import ASKED, BARE, NETWORK, SETTINGS
from skan_receiver.delivery.presets.parameters import URL
from skan_receiver.delivery.presets.preset import Parameter, Preset

_COMMON = {"method": "GET", "partner": "<partner>", "takes_bare": "<takes_bare>", **SETTINGS}

_SETTINGS = "The settings are those that Airbridge has for a channel (help.airbridge.io, Postback)"
_WITHHELD = "a parameter that consent withholds, or that has no value, is left out"

POSTBACK = Preset(
    name="postback",
    title="Any ad network, by GET",
    role="events",
    kind="event",
    parameters=(URL, NETWORK, BARE, *ASKED),
    definition={
        "url": "<url>{?event,event_id,event_time_s,revenue,currency,platform,store_id,click_id,"
        "idfa,gaid,ip,user_agent,country,campaign_id,adset_id,ad_id,site_id,is_attributed,"
        "is_retargeting,installed_at_s,att_status}",
        **_COMMON,
    },
    source="ours; the settings: help.airbridge.io/en/guides/postback-settings",
    confirmed=(
        "unconfirmed by vendor: the names of the parameters are ours; edit the URL to the "
        "network's, and its keys into it as {secret:name}"
    ),
    notes=f"{_SETTINGS}; {_WITHHELD}.",
)


def _of(dialect: str, title: str, example: str, source: str) -> Preset:
    """A network's own template, as it gives it to users of an MMP."""
    template = Parameter(
        "template",
        f"the network's URL, with {title}'s macros in it",
        example,
        r"https://[\x21-\x7e]{4,3000}",
    )
    return Preset(
        name=f"{dialect}-postback",
        title=f"Any ad network, by the template it has for {title}",
        role="events",
        kind="event",
        dialect=dialect,
        parameters=(template, NETWORK, BARE, *ASKED),
        definition={"url": "<template>", **_COMMON},
        source=source,
        confirmed=(
            f"unconfirmed by vendor: the template is the network's own, for {title}; whether it "
            "takes it from others is for it to say"
        ),
        notes=(
            f"Its macros become ours as it is added; one that has no counterpart is named, and "
            f"nothing is saved. {_SETTINGS}; {_WITHHELD}."
        ),
    )


DIALECT_POSTBACKS = (
    _of(
        "appsflyer",
        "AppsFlyer",
        "https://ad.example/pb?id=(clickid)&idfa=(idfa)&ts=(install-unix-ts)",
        "help.appsflyer.com 207273946, 360016751637",
    ),
    _of(
        "adjust",
        "Adjust",
        "https://ad.example/pb?idfa={idfa}&gaid={gps_adid}&at={created_at}",
        "help.adjust.com callback-structure-partner",
    ),
    _of(
        "branch",
        "Branch",
        "https://ad.example/pb?e=${(customer_event_alias)!}&at=${(event_timestamp)!}",
        "help.branch.io postback-macros-functions",
    ),
    _of(
        "singular",
        "Singular",
        "https://ad.example/pb?id={cl?Acme}&event={EVTNAME}&amount={AMOUNT}",
        "support.singular.net 115004063323",
    ),
    _of(
        "appmetrica",
        "AppMetrica",
        "https://ad.example/pb?id={click_id}&tx={transaction_id}",
        "appmetrica.yandex.com mobile-tracking/postback-specification",
    ),
)
