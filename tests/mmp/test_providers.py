"""Every MMP: what is printed for it is read, in every form that it may choose."""

import json
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skan_receiver.errors import Malformed
from skan_receiver.mmp.event import Event, Kind
from skan_receiver.mmp.providers import PROVIDERS, Provider
from skan_receiver.mmp.providers.apple import is_apples
from skan_receiver.mmp.providers.members import objects, written
from skan_receiver.mmp.providers.plain import NAMES
from skan_receiver.mmp.providers.request import take
from skan_receiver.mmp.providers.values import READERS

AT = "2026-03-04T10:11:12.345Z"

# A value for each field that is no text, as an MMP could say it.
SAID: Mapping[str, str] = {
    "kind": "install",
    "at": AT,
    "installed_at": AT,
    "touched_at": AT,
    "app": "1555000111",
    "app_id": "1555000111",
    "platform": "ios",
    "revenue": "12.34",
    "revenue_usd": "12.34",
    "reporting_revenue": "12.34",
    "currency": "EUR",
    "reporting_currency": "EUR",
    "att": "3",
    "country": "DE",
    "organic": "0",
    "ip": "203.0.113.7",
}
# What a provider makes another field of.
MADE = {
    *("app", "rejection", "organic", "revenue_usd", "reporting_revenue", "reporting_currency"),
    *("is_view", "tracker", "alias", "twitter_allows"),
}
FLAGS = {name for name, reader in READERS.items() if reader.__name__ == "flag"}

every_provider = pytest.mark.parametrize("provider", PROVIDERS.values(), ids=list(PROVIDERS))


def value_for(field: str) -> str:
    return SAID.get(field, "1" if field in FLAGS else f"some-{field}")


def filled(provider: Provider, url: str) -> list[tuple[str, str]]:
    """The query of a printed address after the MMP has put values in place of its macros."""
    fields = {says.name: says.field for says in provider.table}
    pairs = parse_qsl(urlsplit(url.replace("#", "%23")).query, keep_blank_values=True)
    return [
        (name, value_for(fields.get(name, "")) if value[:1] in "{$<" else value)
        for name, value in pairs
    ]


@every_provider
def test_an_address_has_the_token_and_nothing_twice(provider: Provider) -> None:
    """It is pasted as it stands; of a name that is there twice, MMPs fill in one."""
    for printed in provider.urls("https://skan.example/", "to ken/1"):
        split = urlsplit(printed.url.replace("#", "%23"))
        names = [name for name, _ in parse_qsl(split.query)]
        assert split.path == f"/mmp/{provider.name}/to%20ken%2F1"
        assert printed.when
        assert len(names) == len(set(names))


@every_provider
def test_what_is_printed_is_read(provider: Provider) -> None:
    """Each name in an address, with a value in place of its macro, is a field of the event."""
    first = {says.field: says.name for says in reversed(provider.table)}
    least = {first["at"]: AT, first["name"]: "some event", first["revenue"]: "1.00"}
    for says in provider.table:
        if says.macro and says.field not in MADE:
            event = provider.event({**least, says.name: value_for(says.field)})
            assert told_in(event)[says.field] is not None, says


@every_provider
def test_nothing_is_printed_that_is_not_read(provider: Provider) -> None:
    """An address filled in is an event, or a postback of Apple's; a name of it that is in no
    table would be lost."""
    names = {says.name for says in provider.table}
    for callback, printed in zip(provider.callbacks, provider.urls("https://a", "t"), strict=True):
        pairs = filled(provider, printed.url)
        if callback.instead is not None:
            assert is_apples(provider.name, dict(pairs))
            continue
        assert {name for name, _ in pairs} <= names
        if {"at", "installed_at"} & {says.field for says in provider.table if says.macro}:
            assert provider.event(dict(pairs)).at is not None


def told_in(event: Event) -> dict[str, object]:
    parts = (event.person, event.attribution, event.signals, event.device)
    found = {name: getattr(event, name) for name in event.__slots__}
    for part in parts:
        found |= {name: getattr(part, name) for name in part.__slots__}
    return found


@every_provider
def test_nothing_replaced_says_nothing(provider: Provider) -> None:
    """An address pasted where nobody replaces its macros tells of no event and of no person."""
    for printed in provider.urls("https://a", "t"):
        query = parse_qsl(urlsplit(printed.url.replace("#", "%23")).query)
        taken = take(provider, query, b"")
        assert not taken.events
        assert not taken.apples
        assert len(taken.unread) == 1


@every_provider
def test_every_field_of_a_table_is_one(provider: Provider) -> None:
    """A word that is no field of an event would be read and forgotten."""
    known = told_in(Event(provider="", event_id="", kind=Kind.EVENT, name="", at=AT))  # type: ignore[arg-type]
    assert {says.field for says in provider.table} <= known.keys() | MADE


MESSAGES = [
    {"kind": "event", "name": f"step {number}", "at": AT, "idfa": f"A-{number}", "revenue": "1.10"}
    for number in range(3)
]


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(MESSAGES),
        "\n".join(map(json.dumps, MESSAGES)),
        "\r\n".join(map(json.dumps, MESSAGES)) + "\r\n",
        ",".join(MESSAGES[0]) + "\n" + "\n".join(",".join(one.values()) for one in MESSAGES),
    ],
    ids=["an array", "lines", "lines with returns", "csv"],
)
def test_a_batch_is_read_in_every_form(body: str) -> None:
    """JSON as an array, an object a line, or CSV: the same three events."""
    events = PROVIDERS["generic"].read((), body.encode())
    alone = [PROVIDERS["generic"].read((), json.dumps(one).encode())[0] for one in MESSAGES]
    assert events == alone
    assert PROVIDERS["generic"].read((), urlencode(MESSAGES[0]).encode()) == alone[:1]
    assert PROVIDERS["generic"].read(MESSAGES[0].items(), b"") == alone[:1]


def test_one_that_cannot_be_read_is_alone_in_it() -> None:
    """The others of its batch are kept, and it comes back as bytes that can be read again."""
    bad = {**MESSAGES[1], "revenue": "much"}
    lines = [json.dumps(MESSAGES[0]), json.dumps(bad), "not json", json.dumps(MESSAGES[2])]
    taken = take(PROVIDERS["generic"], (), "\n".join(lines).encode())
    assert [event.name for event in taken.events] == ["step 0", "step 2"]
    assert [str(one.fault) for one in taken.unread] == [
        "revenue: not an amount, as in 9.99",
        "not a JSON object",
    ]
    assert json.loads(taken.unread[0].body) == bad


@given(
    st.dictionaries(
        st.text(),
        st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers())
        | st.dictionaries(st.text(), st.text()),
        max_size=8,
    ).filter(bool)
)  # fmt: skip
def test_what_is_kept_reads_as_it_came(message: dict[str, object]) -> None:
    """The quarantine holds what was said, not how it was written."""
    (once,) = objects((), json.dumps(message).encode())
    (again,) = objects((), written(once))
    assert written(again) == written(once)


@given(st.binary(max_size=300), st.lists(st.tuples(st.text(), st.text()), max_size=4))
def test_nothing_that_comes_makes_it_fail(body: bytes, query: list[tuple[str, str]]) -> None:
    """Whoever has the token may send anything: it is read, or it is kept."""
    for provider in PROVIDERS.values():
        taken = take(provider, query, body)
        assert taken.events or taken.apples or taken.unread


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty: neither a body nor parameters"),
        (b"[]", "no event in it"),
        (b"\xff\xfe", "not UTF-8"),
        (b"hello", "neither JSON, nor a form, nor CSV"),
        (b'{"a":' * 30 + b"1" + b"}" * 30, "a: deeper than 8 levels"),
        (b'{"kind":"event","name":"x"}', "at: missing, or nothing: when did it happen?"),
        (b'{"kind":"event","at":"2026-01-01"}', "name: missing, or nothing: what happened?"),
        (b'{"kind":"party","at":"2026-01-01"}', "kind: none of event, install"),
        (b'{"kind":"event","name":"x","at":"2026-01-01","idfa":["a"]}', None),
    ],
)
def test_what_cannot_be_read_says_why(body: bytes, reason: str | None) -> None:
    """By the member at fault; what we have no field for is nobody's fault."""
    if reason is None:
        assert PROVIDERS["generic"].read((), body)[0].person.idfa is None
        return
    with pytest.raises(Malformed) as caught:
        PROVIDERS["generic"].read((), body)
    assert str(caught.value).startswith(reason)


def test_an_event_too_large_for_one_is_refused_in_a_batch() -> None:
    """A batch may have a megabyte; no event has more than 64 KiB."""
    large = {**MESSAGES[0], "note": "x" * 70_000}
    taken = take(PROVIDERS["generic"], (), json.dumps([MESSAGES[1], large]).encode())
    assert len(taken.events) == 1
    assert str(taken.unread[0].fault) == "an event has at most 65536 bytes"


def test_its_connection_says_of_which_app_it_is() -> None:
    """Where an event names none: Branch has no macro for it."""
    said = {"kind": "install", "at": AT, "idfa": "A-1"}
    generic = PROVIDERS["generic"]
    for more, app_id in (({}, 7), ({"app_id": "8"}, 8), ({"bundle_id": "com.a"}, None)):
        (event,) = take(generic, list({**said, **more}.items()), b"", app_id=7).events
        assert event.app_id == app_id
    android = {"kind": "install", "at": AT, "gaid": "g"}
    (event,) = take(generic, list(android.items()), b"", app_id=7).events
    assert event.app_id is None


def test_parts_may_be_written_as_parts() -> None:
    """`{"person": {"idfa": …}}` or `{"idfa": …}`: one event."""
    flat = {"kind": "install", "at": AT, "idfa": "A-1", "campaign_id": "c"}
    deep = {"kind": "install", "at": AT, "person": {"idfa": "A-1"},
            "attribution": {"campaign_id": "c"}}  # fmt: skip
    generic = PROVIDERS["generic"]
    assert generic.event(flat) == generic.read((), json.dumps(deep).encode())[0]


def test_revenue_without_a_currency_has_none_and_a_currency_without_revenue_neither() -> None:
    """A currency is never made up; one alone says nothing."""
    said = {"kind": "event", "name": "x", "at": AT}
    generic = PROVIDERS["generic"]
    assert generic.event({**said, "revenue": "5"}).currency is None
    assert generic.event({**said, "currency": "EUR"}).currency is None


def test_every_name_and_provider_is_written_down() -> None:
    """docs/events.md is what somebody reads who sets one up."""
    text = (Path(__file__).parents[2] / "docs" / "events.md").read_text()
    assert not [name for name in (*NAMES, *PROVIDERS) if f"`{name}`" not in text]
