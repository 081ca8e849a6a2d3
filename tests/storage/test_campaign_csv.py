"""The campaign table as people keep it: in spreadsheets."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skan_receiver.errors import ConfigurationError
from skan_receiver.storage.campaign_csv import COLUMNS, LONGEST, read_csv, write_csv
from skan_receiver.storage.campaigns import NAMES, Entry
from skan_receiver.storage.spreadsheet import FORMULA, guarded, unguarded

HEAD = "ad_network_id,source_identifier,skan_campaign_id,starts_on,ends_on,campaign_name\n"
ROW = "com.example,5239,,2026-01-01,,Autumn\n"
AUTUMN = Entry(
    ad_network_id="com.example",
    source_identifier="5239",
    starts_on=date(2026, 1, 1),
    campaign_name="Autumn",
)


def mistakes(written: str | bytes) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        read_csv(written)
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    "written",
    [
        HEAD + ROW,
        (HEAD + ROW).encode("utf-8-sig"),
        (HEAD + ROW).replace(",", ";"),
        (HEAD + ROW).replace("\n", "\r\n"),
        (HEAD + "\n,,,,,\n" + ROW),  # rows that are blank
        HEAD + ROW.replace("com.example,5239", " COM.Example , 5239 "),
    ],
)
def test_files_are_read_as_spreadsheets_save_them(written: str | bytes) -> None:
    """With a byte order mark, semicolons, blanks around what is no name."""
    assert read_csv(written) == [AUTUMN]


def test_a_file_may_have_no_rows() -> None:
    """A network whose campaigns have all ended."""
    assert read_csv(HEAD) == []


def test_every_mistake_is_told_with_its_line_and_column() -> None:
    """Whoever mends the file does so once."""
    written = f"""\
{HEAD.strip()},app_id
a b,12345,,2026-02-30,,,-1
com.example,,101,01.02.2026,2026-2-1,{"x" * (LONGEST + 1)},
com.example,5239,42,2026-02-01,2026-01-31,,9223372036854775808
com.example,,,2026-02-01,,,
com.example,5239,,2026-02-01,"a
name",
com.example,1,,2026-01-01,,nul\0,
com.example,1,,2026-01-01,,half \ud83d,
"""
    assert mistakes(written) == [
        "line 2: ad_network_id: `a b` is no ad-network id; one looks like abc123.skadnetwork",
        "line 2: app_id: `-1` is no App Store id; write its number, or 0 for any app",
        "line 2: source_identifier: `12345` is not 1 to 4 digits; write it as the network does",
        "line 2: starts_on: `2026-02-30` is no day; write it like 2026-11-30",
        "line 3: campaign_name: has 201 characters; shorten it to 200",
        "line 3: ends_on: `2026-2-1` is no day; write it like 2026-11-30",
        "line 3: skan_campaign_id: `101` is not 1 to 100; longer ones are source identifiers",
        "line 3: starts_on: `01.02.2026` is no day; write it like 2026-11-30",
        "line 4: app_id: `9223372036854775808` is no App Store id; "
        "write its number, or 0 for any app",
        "line 4: ends_on: 2026-01-31 is before the first day, 2026-02-01; "
        "write a later one, or none",
        "line 4: source_identifier: is given, as is skan_campaign_id; leave one of them empty",
        "line 5: source_identifier: is empty, as is skan_campaign_id; give one of them",
        "line 6: row: has 6 cells where the first line has 7; "
        "put quotes around a cell with a comma in it",
        "line 8: campaign_name: holds U+0000, which no database stores as text; delete it",
        "line 9: campaign_name: holds half of a surrogate pair; type the character again",
    ]


def test_wrong_columns_are_told_with_the_right_ones() -> None:
    """And cells below them are looked at all the same."""
    written = "ad_network_id,ad_network_id,campain_name,foo,\nx y,x,,,\n"

    assert [line.split("; known")[0] for line in mistakes(written)] == [
        "line 1: `campain_name`: is no column; did you mean `campaign_name`?",
        "line 1: `foo`: is no column",
        "line 1: a column: has no name; delete the column, or name it",
        "line 1: ad_network_id: is there twice; delete one of them",
        "line 1: source_identifier: is missing, as is skan_campaign_id; add one of the columns",
        "line 1: starts_on: is missing; add the column",
    ]
    assert mistakes("") == [f"line 1: ad_network_id: is missing; begin with {','.join(COLUMNS)}"]


def test_bytes_that_are_not_utf_8_are_named() -> None:
    """A spreadsheet's old encoding shows in the first name with an accent."""
    written = (HEAD + ROW.replace("Autumn", "Été")).encode("latin-1")

    assert mistakes(written) == [
        "line 2: campaign_name: holds a byte that is not UTF-8 (0xC9); save the file as UTF-8"
    ]


def test_a_quote_that_never_ends_is_found_where_it_begins() -> None:
    """Not at the end of the file, hundreds of rows later."""
    written = HEAD + "x,5239\n" + ROW + ROW.replace("Autumn", '"Autumn') + ROW

    assert [line[:15] for line in mistakes(written)] == ["line 2: row: ha", "line 4: row: is"]


def test_two_names_for_one_identifier_on_one_day_are_a_mistake() -> None:
    """So is the same row twice. Spans that touch, or say the same, are none."""
    spans = [
        ("2026-01-01", "2026-01-31", "A"),
        ("2026-02-01", "", "B"),
        ("2026-03-01", "2026-03-31", "B"),
        ("2026-03-31", "", "C"),
        ("2026-01-01", "2026-01-31", "A"),
    ]
    written = HEAD + "".join(f"com.example,5239,,{a},{b},{name}\n" for a, b, name in spans)

    assert mistakes(written) == [
        "line 5: starts_on: line 3 names the same identifier otherwise and still runs; "
        "end it before 2026-03-31",
        "line 5: starts_on: line 4 names the same identifier otherwise and still runs; "
        "end it before 2026-03-31",
        "line 6: starts_on: line 2 has the same key; delete one of them",
    ]


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
formulas = st.tuples(st.sampled_from(["", "'", "''"]), st.sampled_from(FORMULA), texts).map("".join)
names = st.fixed_dictionaries(dict.fromkeys(NAMES, texts | formulas))
identifiers = st.one_of(
    st.tuples(st.from_regex(r"[0-9]{1,4}", fullmatch=True), st.just(0)),
    st.tuples(st.just(""), st.integers(1, 100)),
)


@st.composite
def rows(draw: st.DrawFn) -> Entry:
    source, campaign = draw(identifiers)
    first = draw(st.dates(max_value=date(9998, 12, 31)))
    return Entry(
        ad_network_id=draw(st.from_regex(r"[a-z0-9.-]{1,30}", fullmatch=True)),
        app_id=draw(st.integers(0, 2**63 - 1)),
        source_identifier=source,
        skan_campaign_id=campaign,
        starts_on=first,
        ends_on=draw(st.none() | st.integers(0, 365).map(lambda days: first + timedelta(days))),
        **draw(names),
    )


@given(st.lists(rows(), max_size=3, unique_by=lambda row: row.subject))
def test_what_is_written_is_read_again(table: list[Entry]) -> None:
    """Whatever the names hold: quotes, line breaks, what looks like a formula or a guard."""
    assert read_csv(write_csv(table)) == read_csv(write_csv(table).encode()) == table


@given(texts | formulas)
def test_no_cell_is_run_as_a_formula(text: str) -> None:
    """And the guard comes off as it went on."""
    assert not guarded(text).startswith(FORMULA)
    assert unguarded(guarded(text)) == text


def test_the_guides_example_is_a_good_one() -> None:
    """It is what people copy first; and each column is explained below it."""
    guide = (Path(__file__).parents[2] / "docs" / "campaigns.md").read_text(encoding="utf-8")
    example = guide.partition("```csv\n")[2].partition("```")[0]

    assert len(read_csv(example)) == 4
    assert all(f"`{name}`" in guide for name in COLUMNS)
