"""Messages as MMPs send them, made up: shapes of theirs, values of our own."""

from typing import Any

IDFA = "9F3C1B7E-52D4-4A60-8C11-0D5E7A42B693"
IDFV = "41D6E0A8-7B35-4C9F-A2E4-6F10C8D97B52"
GAID = "5d0b9c3e-8a47-4f21-b6d3-91e7fa20c458"


def appsflyer(**said: object) -> dict[str, Any]:
    """An in-app event by Push API 2.0: most members are null, as there."""
    return {
        "api_version": "2.0",
        "app_id": "id1555000111",
        "app_name": "Tea House",
        "app_version": "3.2.0",
        "bundle_id": "com.example.teahouse",
        "platform": "ios",
        "appsflyer_id": "1700000000000-1234567",
        "idfa": IDFA,
        "idfv": IDFV,
        "advertising_id": None,
        "android_id": None,
        "customer_user_id": None,
        "event_name": "af_purchase",
        "event_source": "SDK",
        "event_time": "2026-03-04 10:11:12.345",
        "event_time_selected_timezone": "2026-03-04 11:11:12.345+0100",
        "event_value": '{"af_order_id":"T-77","af_revenue":12.34}',
        "event_revenue": 12.34,
        "event_revenue_currency": "EUR",
        "event_revenue_usd": 13.01,
        "install_time": "2026-03-01 09:00:00.000",
        "install_time_selected_timezone": "2026-03-01 10:00:00.000+0100",
        "attributed_touch_time": "2026-03-01 08:55:00.000",
        "attributed_touch_type": "click",
        "media_source": "examplenet_int",
        "campaign": "Spring",
        "af_c_id": "c-1",
        "af_adset": None,
        "af_adset_id": "a-1",
        "af_ad": "Kettle",
        "af_ad_id": "d-1",
        "af_prt": None,
        "af_siteid": "site-9",
        "match_type": "id_matching",
        "is_retargeting": False,
        "is_primary_attribution": True,
        "retargeting_conversion_type": None,
        "ip": "203.0.113.7",
        "user_agent": "TeaHouse/3.2.0 CFNetwork Darwin",
        "country_code": "UK",
        "region": "EU",
        "state": None,
        "dma": "None",
        "os_version": "18.3",
        "device_type": "iPhone17,1",
        "language": "en-GB",
        "sdk_version": "v6.15",
        "is_lat": None,
        "att": "authorized",
        "gdpr_applies": None,
        "wifi": True,
        **said,
    }


def appsflyer_first_version(**said: object) -> dict[str, Any]:
    """An install as AppsFlyer's first Push API told it."""
    return {
        "app_id": "com.example.teahouse",
        "platform": "android",
        "click_time": "2015-05-06 07:00:00",
        "install_time": "2015-05-06 07:08:09",
        "agency": "example agency",
        "media_source": "Example Ads",
        "campaign": None,
        "fb_campaign_name": "Tea",
        "fb_campaign_id": "111",
        "fb_adset_name": "London",
        "fb_adset_id": "222",
        "fb_adgroup_name": "Kettle",
        "fb_adgroup_id": "333",
        "country_code": "GB",
        "appsflyer_device_id": "1430895600000-99",
        "advertising_id": None,
        "event_type": "install",
        "event_name": None,
        **said,
    }


def adjust(**said: str) -> dict[str, str]:
    """An install callback, with the placeholders that had a value."""
    return {
        "activity_kind": "install",
        "idfa": IDFA,
        "idfv": IDFV,
        "adid": "18f0a1b2c3d4e5f60718293a4b5c6d7e",
        "tracker_name": "Examplenet::Spring::A::Kettle",
        "network_name": "Examplenet",
        "campaign_name": "Spring",
        "adgroup_name": "A",
        "creative_name": "Kettle",
        "app_id": "1555000111",
        "created_at": "1772618000",
        "installed_at": "1772618000",
        "click_time": "1772617700",
        "att_status": "3",
        "country": "de",
        "os_name": "ios",
        "ip_address": "203.0.113.7",
        **said,
    }


def branch(**said: object) -> dict[str, Any]:
    """A webhook of JSON."""
    return {
        "id": "br-0001",
        "name": "PURCHASE",
        "event_timestamp": 1772618000123,
        "attributed": True,
        "last_attributed_touch_type": "CLICK",
        "last_attributed_touch_timestamp": 1772610000000,
        "last_attributed_touch_data": {
            "~advertising_partner_name": "Examplenet",
            "~campaign": "Spring",
            "~campaign_id": "c-1",
            "~tags": ["a", "b"],
            "$fb_data_terms_not_signed": False,
        },
        "user_data": {
            "os": "Android",
            "aaid": GAID,
            "ip": "203.0.113.7",
            "limit_ad_tracking": False,
            "geo_country_code": "FR",
        },
        "event_data": {"revenue": 9.9, "currency": "EUR", "transaction_id": "T-78"},
        **said,
    }
