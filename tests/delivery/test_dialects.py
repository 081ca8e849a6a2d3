"""Templates written for other vendors: what becomes of them, and what is left to a person."""

import pytest

from skan_receiver.delivery.templates import (
    DIALECTS,
    TemplateRefused,
    UrlTemplate,
    guess_dialect,
    macros_for,
    translate,
)
from skan_receiver.delivery.templates.dialects import OURS, OURS_OF_USERS
from skan_receiver.delivery.templates.vendors_of_users import OF_USERS

# A vendor's template, ours, what has no counterpart, and what would identify somebody.
GOLDEN = {
    "appsflyer": (
        "https://ad.example/pb?id=(clickid)&idfa=(sha1-idfa)&app=(app-id)&cv=(skad_conversion_value)"
        "&c=(ad_network_campaign_name)&win=(skad_did_win)&ts=(timestamp)&wifi=(wifi)",
        "https://ad.example/pb?id={clickid}&idfa={sha1_idfa}&app={app_id}&cv={fine_value}"
        "&c={campaign_name}&win={did_win}&ts={received_at_s}&wifi={appsflyer_wifi}",
        ("wifi",),
        ("clickid", "sha1-idfa"),
    ),
    "adjust": (
        "https://ad.example/pb?v={sk_version}&net={sk_network_id}&c={sk_campaign_id}"
        "&src={sk_source_identifier}&tx={sk_transaction_id}&app={sk_app_id}&cv={sk_conversion_value}"
        "&cc={sk_coarse_conversion_value}&w={sk_postback_sequence_index}&f={sk_fidelity_type}"
        "&win={sk_did_win}&re={sk_redownload}&pub={sk_source_app_id}&dom={sk_source_domain}"
        "&raw={sk_payload}&ts={sk_ts}&min={reporting_revenue_min}&l={label}&id={gps_adid_md5}",
        "https://ad.example/pb?v={version}&net={ad_network_id}&c={skan_campaign_id}"
        "&src={source_identifier}&tx={postback_id}&app={app_id}&cv={fine_value}"
        "&cc={coarse_value}&w={window}&f={fidelity_type}"
        "&win={did_win}&re={redownload}&pub={source_app_id}&dom={source_domain}"
        "&raw={postback_base64}&ts={received_at_s}&min={revenue_min}&l={adjust_label}&id={gps_adid_md5}",
        ("label",),
        ("gps_adid_md5",),
    ),
    "branch": (
        "https://ad.example/pb?c=${(last_attributed_touch_data.~campaign)!}&ts=${(event_timestamp)!}"
        "&low=${(annotation_revenue_lower)!}&idfv=${(user_data.idfv)!}&e=${(name)!}"
        "&click=${(last_attributed_touch_data.~external_touch)!}",
        "https://ad.example/pb?c={campaign_name}&ts={received_at_ms}"
        "&low={revenue_min}&idfv={idfv}&e={branch_name}&click={external_touch}",
        ("name",),
        ("user_data.idfv", "last_attributed_touch_data.~external_touch"),
    ),
    "singular": (
        "https://ad.example/pb?cl_id={cl?Network Name}&app_id={PUBLIC_ID}&ip={EVENT_IP}"
        "&amount={AMOUNT}&event={EVTNAME}&won={NETWORK=Us}&raw={skan_postback}",
        "https://ad.example/pb?cl_id={cl}&app_id={app_id}&ip={event_ip}"
        "&amount={revenue}&event={singular_evtname}&won={singular_network}&raw={postback_base64}",
        ("EVTNAME", "NETWORK=Us"),
        ("cl?Network Name", "EVENT_IP"),
    ),
    "appmetrica": (
        "https://ad.example/pb?id={transaction_id}&app={store_app_id}&t={conversion_timestamp}"
        "&click={click_id}&ifa={ios_ifa}&m={match_type}&c={ad_network_campaign_id}",
        "https://ad.example/pb?id={postback_id}&app={app_id}&t={received_at_s}"
        "&click={click_id}&ifa={ios_ifa}&m={appmetrica_match_type}&c={campaign_id}",
        ("match_type",),
        ("click_id", "ios_ifa"),
    ),
    "sachinast": (
        "https://ad.example/pb?clickid={{click_id}}&e={{ event_name }}&payout={{revenue}}"
        "&c={{campaign_id}}&id={{event_id}}",
        "https://ad.example/pb?clickid={click_id}&e={sachinast_event_name}&payout={revenue}"
        "&c={campaign_id}&id={delivery_id}",
        ("event_name",),
        ("click_id",),
    ),
}  # fmt: skip


def test_every_dialect_has_its_example() -> None:
    """A vendor is added with a template that shows how it writes."""
    assert GOLDEN.keys() == DIALECTS.keys()


@pytest.mark.parametrize("dialect", GOLDEN)
def test_a_vendors_template_becomes_ours(dialect: str) -> None:
    """Nothing is lost in silence: what we lack is listed, in the vendor's words."""
    theirs, ours, unknown, personal = GOLDEN[dialect]
    translation = translate(theirs, dialect)
    assert translation.text == ours
    assert (translation.unknown, translation.personal) == (unknown, personal)


@pytest.mark.parametrize("dialect", GOLDEN)
def test_a_dialect_is_known_by_its_looks(dialect: str) -> None:
    """Whoever pastes a template need not know whose it is."""
    assert guess_dialect(GOLDEN[dialect][0]) == dialect


@pytest.mark.parametrize("dialect", GOLDEN)
def test_what_we_lack_is_refused_until_it_is_taken_out(dialect: str) -> None:
    """A name that happens to be one of ours must not slip through with another meaning."""
    theirs, _, unknown, personal = GOLDEN[dialect]
    with pytest.raises(TemplateRefused):
        UrlTemplate.parse(translate(theirs, dialect).text, macros_for("decoded"))
    members = theirs.replace("?", "&", 1).split("&")
    kept = [each for each in members if not any(lacking in each for lacking in unknown + personal)]
    text = translate("&".join(kept).replace("&", "?", 1), dialect).text
    assert UrlTemplate.parse(text, macros_for("decoded")).macros


def test_every_name_we_give_is_one_of_our_macros() -> None:
    """A table that names a macro nobody has would be found by a customer."""
    for dialect in DIALECTS.values():
        assert OURS.issuperset(dialect.names.values())
    assert OF_USERS.keys() == DIALECTS.keys()
    for names in OF_USERS.values():
        assert OURS_OF_USERS.issuperset(names.values())


OF_EVENTS = {
    "appsflyer": (
        "https://p.example/?id=(clickid)&idfa=(idfa)&h=(sha1-idfa)&ts=(install-unix-ts)",
        "https://p.example/?id={click_id}&idfa={idfa}&h={idfa_sha1}&ts={installed_at_s}",
    ),
    "adjust": (
        "https://p.example/?idfa={idfa}&gaid={gps_adid}&at={created_at}&att={att_status}",
        "https://p.example/?idfa={idfa}&gaid={gaid}&at={event_time_s}&att={att_status}",
    ),
    "branch": (
        "https://p.example/?e=${(customer_event_alias)!}&at=${(event_timestamp)!}",
        "https://p.example/?e={event}&at={event_time_ms}",
    ),
    "singular": (
        "https://p.example/?cl_id={cl?NetworkName}&ip={EVENT_IP}&amount={AMOUNT}&event={EVTNAME}",
        "https://p.example/?cl_id={click_id}&ip={ip}&amount={revenue}&event={event_name}",
    ),
    "appmetrica": (
        "https://p.example/?c={click_id}&g={google_aid}&p={price}",
        "https://p.example/?c={click_id}&g={gaid}&p={revenue}",
    ),
}


@pytest.mark.parametrize("dialect", OF_EVENTS)
def test_a_template_of_users_is_translated_for_events_of_users(dialect: str) -> None:
    """And for them alone: elsewhere the same names are refused."""
    theirs, ours = OF_EVENTS[dialect]
    translation = translate(theirs, dialect, of_users=True)
    assert (translation.text, translation.unknown, translation.personal) == (ours, (), ())
    assert UrlTemplate.parse(ours, macros_for("event")).macros
    with pytest.raises(TemplateRefused):
        UrlTemplate.parse(translate(theirs, dialect).text, macros_for("decoded"))


def test_what_nearly_means_the_same_is_left_to_a_person() -> None:
    """No text that we have says the unit of Adjust's revenue; an IMEI is nothing that we keep."""
    found = translate("https://p.example/?r={revenue}&i={imei}", "adjust", of_users=True)
    assert (found.unknown, found.personal) == (("revenue",), ("imei",))


def test_our_own_template_is_nobodys_dialect() -> None:
    """Nor is a text without macros, or with parentheses that mean nothing."""
    for text in (
        "https://p.example/?cv={fine_value}{&country}",
        "https://p.example/(a)",
        "x",
        "{foo}",
    ):
        assert guess_dialect(text) is None


EXPRESSIONS = [
    ("branch", "https://p.example/?x=${x?eval}&y=1", "${x?eval}"),
    ("branch", "https://p.example/?x=${(a)!?upper_case}", "${(a)!?upper_case}"),
    ("branch", "https://p.example/?x=${(a.b[0])!}", "${(a.b[0])!}"),
    ("branch", "https://p.example/?x=<#if attributed>1<#else>0</#if>", "<#if"),
    ("branch", "https://p.example/?x={name}", "{name}"),
    ("adjust", "https://p.example/?x={sk_ts.__class__}", "{sk_ts.__class__}"),
    ("adjust", "https://p.example/?x={idfa||gps_adid}", "{idfa||gps_adid}"),
    ("adjust", "https://p.example/?x={{sk_ts}}", "{"),
    ("appmetrica", '{"a": "{click_id}"}', "{"),
    ("singular", "https://p.example/?x={cl?N}{7*7}", "{7*7}"),
    ("sachinast", "https://p.example/?x={{config.items()}}", "{{config.items()}}"),
    ("sachinast", "https://p.example/?x={revenue}", "{revenue}"),
    ("appsflyer", "https://p.example/?x=(encode((event-value)))", "(encode("),
    ("appsflyer", "https://p.example/?x=(app-id)+(7*7)", "(7*7)"),
    ("appsflyer", "https://p.example/?x={fine_value}", "{fine_value}"),
]


@pytest.mark.parametrize(("dialect", "text", "part"), EXPRESSIONS)
def test_an_expression_is_refused(dialect: str, text: str, part: str) -> None:
    """Names are taken over; what a vendor's engine would compute is not."""
    with pytest.raises(TemplateRefused) as refused:
        translate(text, dialect)
    assert refused.value.part == part


def test_an_unknown_dialect_is_named_with_those_there_are() -> None:
    """The list is short enough to be read."""
    with pytest.raises(TemplateRefused, match=r"`adjust`\? There are: appsflyer, "):
        translate("x", "ajust")
