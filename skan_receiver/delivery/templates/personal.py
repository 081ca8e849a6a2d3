"""Names that stand for a person, a device or a click at one vendor or another.

None is a macro here. They have a table all the same: who pastes a vendor's template is to read
why such a part cannot be had, not that we have never heard of it.
"""

import re

NO_USER_DATA = "a SKAdNetwork result carries no user data: leave it out (docs/destinations.md)"

# Names are in lower case, with _ for -.  AppsFlyer, Adjust, Singular, Branch, AppMetrica,
# Airbridge, Kochava; and what ad networks call their click ids.
IDENTIFY = {
    "a device": """
        idfa idfv ifa ifa1 ifa5 ifv idfm ios_ifa ios_ifv gaid aaid aifa andi google_aid
        advertising_id advertisingid advertiserid advertiser_id android_id gps_adid adid fire_adid
        kindle_aid amazon_aid windows_aid win_adid win_hwid win_naid win_udid oaid tifa rida vida
        lgudid hadid rdid adwords_rdid mac mac_address udid imei meid device_id deviceid sdid
        external_device_id custom_device_id appsflyer_id appsflyer_device_id appmetrica_device_id
        google_app_set_id web_uuid push_token
    """,
    "a person": """
        user_id userid uid customer_user_id custom_user_id customer_id cuid external_id
        anonymous_id random_user_id developer_identity profile_id gamer_id player_id session_id
        email emails phone phone_number first_name last_name full_name postal_code
        geo_postal_code latitude longitude geo_lat geo_lon
    """,
    "a device's address (only a relay that says needs_ip sends it)": """
        ip ip_address ipaddress ipv4 ipv6 client_ip device_ip user_ip remote_addr
        proxy_ip_address touchpoint_ip attribution_ip event_ip click_ip click_ipv6 install_ipv6
    """,
    "a browser": "ua user_agent useragent device_ua click_user_agent",
    "a click": """
        click_id clickid clid cl click_token external_touch di_match_click_token
        gclid gbraid wbraid dclid fbclid ttclid msclkid twclid sccid aff_click_id
    """,
}

PERSONAL = {name: whom for whom, names in IDENTIFY.items() for name in names.split()}

# A hash of an identifier identifies as well as the identifier itself.
_HASHED = re.compile(
    r"^(?:(?:sha1|sha256|md5|hashed|raw|user_data)_)+"
    r"|(?:_(?:sha1|sha256|md5|hex|hashed|raw|upper|lower))+$"
)


def identifies(name: str) -> str:
    """Whom or what a vendor's name stands for; empty where it is nobody."""
    return PERSONAL.get(_HASHED.sub("", name.lower().replace("-", "_")), "")
