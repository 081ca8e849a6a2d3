"""What a customer would say to the presets for events of users."""

_ASKED = {
    "already_sent_by_mmp": "no",
    "media_sources": "acme_int",
    "installs": "install",
}
_NETWORK = {**_ASKED, "partner": "acme", "events": "af_purchase=purchase", "takes_bare": "yes"}
TOKEN = "EAABs4kq1TlGzXcW0aB2cDe"

EVENT_GIVEN: dict[str, dict[str, str]] = {
    "google-app": {
        **_ASKED,
        "events": "af_purchase=in_app_purchase",
        "installs": "first_open",
        "dev-token": "Zx8vQkq1TlGzXcW0aB2cDe",
        "link-id": "31FF8D67E5BB5DD5029DCC2734C2F884",
    },
    "meta-app": {
        **_ASKED,
        "events": "af_purchase=Purchase",
        "dataset_id": "1234567890",
        "version": "v24.0",
        "access-token": TOKEN,
    },
    "tiktok-app": {
        **_ASKED,
        "events": "af_purchase=Purchase",
        "installs": "InstallApp",
        "tiktok_app_id": "7012345678901234567",
        "access-token": TOKEN,
    },
    "snap-app": {
        **_ASKED,
        "events": "af_purchase=PURCHASE",
        "snap_app_id": "8b2c7f4e-1c1d-4c7e-9a55-1f2e3d4c5b6a",
        "access-token": TOKEN,
    },
    "postback": {**_NETWORK, "url": "https://ad.example/pb"},
    "appsflyer-postback": {
        **_NETWORK,
        "template": "https://ad.example/pb?id=(clickid)&idfa=(idfa)&ts=(install-unix-ts)"
        "&event=(partner_event_id)&revenue=(event_revenue)&cur=(event_revenue_currency)&ip=(ip)",
    },
    "adjust-postback": {
        **_NETWORK,
        "template": "https://ad.example/pb?idfa={idfa}&gaid={gps_adid}&at={created_at}"
        "&event={event_name}&att={att_status}&ua={user_agent}",
    },
    "branch-postback": {
        **_NETWORK,
        "template": "https://ad.example/pb?e=${(customer_event_alias)!}&at=${(event_timestamp)!}"
        "&idfa=${(user_data.idfa)!}&v=${(event_data.revenue)!}",
    },
    "singular-postback": {
        **_NETWORK,
        "template": "https://ad.example/pb?cl_id={cl?Acme}&app_id={app_id}&ip={EVENT_IP}"
        "&amount={AMOUNT}&event={EVTNAME}",
    },
    "appmetrica-postback": {
        **_NETWORK,
        "template": "https://ad.example/pb?id={click_id}&tx={transaction_id}&idfa={ios_ifa}"
        "&price={price}",
    },
}
