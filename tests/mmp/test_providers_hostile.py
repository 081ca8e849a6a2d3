"""Whoever has the token may send anything: it is read, or it is kept, and nothing raises."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skan_receiver.mmp.providers import PROVIDERS
from skan_receiver.mmp.providers.request import Taken, take

GENERIC = PROVIDERS["generic"]
SEEN = {"kind": "event", "name": "seen", "at": 1_700_000_000}
BEYOND = "1e9999999999999999999"


def reasons(taken: Taken) -> list[str]:
    return [str(one.fault) for one in taken.unread]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"\xef\xbb\xbf", "empty: neither a body nor parameters"),
        ("\u00a0".encode(), "empty: neither a body nor parameters"),
        (b'name,at\n"' + b"a" * 140_000 + b'",1\n', "not CSV: field larger than field limit"),
        (b'{"sk_payload":"x","a":' + b"[" * 20_000 + b"]" * 20_000 + b"}", "not JSON: too deep"),
    ],
    ids=["a byte order mark", "a space of Unicode", "a huge field", "deep"],
)
def test_what_is_no_event_says_why(body: bytes, reason: str) -> None:
    """And is kept, as it came."""
    for provider in PROVIDERS.values():
        (unread,) = take(provider, (), body).unread
        assert str(unread.fault).startswith(reason)
        assert unread.body


def test_parameters_beside_nothing_but_a_mark_are_an_event() -> None:
    """As beside no body at all."""
    query = [(name, str(value)) for name, value in SEEN.items()]
    assert take(GENERIC, query, b"\xef\xbb\xbf").events == take(GENERIC, query, b"").events != []


def test_lines_of_csv_end_as_they_like() -> None:
    """A return alone ends one, too."""
    taken = take(GENERIC, (), b"name,at\ra,1700000000\r\nb,1700000001\n")
    assert [event.name for event in taken.events] == ["a", "b"]


@pytest.mark.parametrize("end", ["\u2028", "\u2029", "\u0085"])
def test_a_line_of_json_ends_at_a_line_feed_alone(end: str) -> None:
    """What else ends lines in Unicode may stand in a text."""
    lines = [{**SEEN, "campaign_name": f"a{end}b"}, SEEN]
    body = "\n".join(json.dumps(one, ensure_ascii=False) for one in lines)
    taken = take(GENERIC, (), body.encode())
    assert [one.attribution.campaign_name for one in taken.events] == [f"a{end}b", None]


@pytest.mark.parametrize("between", [",", "\n"])
def test_a_number_beyond_all_is_a_fault_of_its_own_member(between: str) -> None:
    """The others of its batch are kept, and so is an event that we do not need it of."""
    events = [json.dumps(SEEN)] * 3
    events[1] = events[1][:-1] + f',"revenue":{BEYOND}}}'
    events[2] = events[2][:-1] + f',"of no field":{BEYOND}}}'
    body = between.join(events)
    taken = take(GENERIC, (), (f"[{body}]" if between == "," else body).encode())
    assert len(taken.events) == 2
    assert reasons(taken) == ["revenue: not an amount, as in 9.99"]
    assert json.loads(taken.unread[0].body)["revenue"] == BEYOND


def test_nor_inside_of_a_text_that_is_json() -> None:
    """AppsFlyer's event_value."""
    said = {"event_name": "x", "event_time": "2026-01-01 00:00:00"}
    value = {**said, "event_value": f'{{"price":{BEYOND}}}'}
    assert take(PROVIDERS["appsflyer"], (), json.dumps(value).encode()).events


def test_a_mistake_of_ours_is_alone_in_its_batch() -> None:
    """What nobody thought of is kept, to be read after an upgrade."""

    def stumbles(told: dict[str, Any]) -> None:
        if told["name"] == "odd":
            raise ZeroDivisionError("jane@example.org")

    odd = {**SEEN, "name": "odd"}
    body = json.dumps([SEEN, odd, SEEN]).encode()
    taken = take(replace(GENERIC, finish=stumbles), (), body)
    assert len(taken.events) == 2
    assert reasons(taken) == ["could not be read: ZeroDivisionError"]
    assert json.loads(taken.unread[0].body) == odd


# What an MMP's members could be called and hold, and what breaks them.
NAMES = sorted({says.name for one in PROVIDERS.values() for says in one.table})
ODD = [
    *("", "0", "-1", "1e5", "nan", "\0", "\ud800", "\ufeff", "{a}", "install", "refund", "id", "-"),
    *("1" * 30, "0." + "9" * 60, "9999999999999999." + "9" * 50, "x" * 3_000),
]
VALUES = st.sampled_from(ODD) | st.none() | st.booleans() | st.integers() | st.text(max_size=9)
MESSAGES = st.dictionaries(st.sampled_from([*NAMES, "sk_payload", "skad_transaction_id"]),
                           st.recursive(VALUES, lambda one: st.lists(one, max_size=3)
                                        | st.dictionaries(st.text(max_size=3), one, max_size=3),
                                        max_leaves=6), max_size=12)  # fmt: skip
SPLICES = [
    *(b"\r", b"\n", b",", b'"', b"{", b"}", b"=", b"&", b"-", b"\\ud800", b"\0", b"\xff"),
    *(b"\xef\xbb\xbf", b"\xe2\x80\xa8", b"[" * 999, b"1" * 5_000, BEYOND.encode()),
]


@given(
    messages=st.lists(MESSAGES, min_size=1, max_size=3),
    splices=st.lists(st.tuples(st.floats(0, 1), st.sampled_from(SPLICES)), max_size=3),
)
def test_json_that_somebody_broke_makes_nothing_fail(
    messages: list[dict[str, Any]], splices: list[tuple[float, bytes]]
) -> None:
    """Of every MMP, as an array, with anything put anywhere into it."""
    body = json.dumps(messages).encode()
    for where, splice in splices:
        at = round(where * len(body))
        body = body[:at] + splice + body[at:]
    for provider in PROVIDERS.values():
        taken = take(provider, (), body)
        assert taken.events or taken.apples or taken.unread
        assert not any("could not be read" in one for one in reasons(taken))


@given(st.binary(max_size=400), st.binary(max_size=400))
def test_nor_do_bytes_that_are_anything(some: bytes, more: bytes) -> None:
    """As they are, and as they would be in an event, and in a table."""
    for body in (some, b'{"at":' + some + b"}", b"name,at\n" + some + b"\n" + more):
        for provider in PROVIDERS.values():
            taken = take(provider, (), body)
            assert taken.events or taken.apples or taken.unread
