"""What ads cost, as networks state it and state it again."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skan_receiver.errors import ConfigurationError
from skan_receiver.storage import Store, spreadsheet
from skan_receiver.storage import cost_cells as cells
from skan_receiver.storage.cost_csv import COLUMNS, Terms, read_csv, write_csv
from skan_receiver.storage.costs import (
    Spent,
    Which,
    changes,
    costs,
    find,
    import_costs,
    remove_costs,
    spent_of,
)
from skan_receiver.storage.spreadsheet import FORMULA

HEAD = "day,ad_network_id,app_id,campaign_id,campaign_name,cost,impressions\n"
ROW = "2026-11-20,com.example,42,c-7,Autumn,12.50,1000\n"
BERLIN = Terms(zone="Europe/Berlin", currency="EUR")


def spent(**other: Any) -> Spent:
    known: dict[str, Any] = {
        "ad_network_id": "com.example",
        "app_id": 42,
        "campaign_id": "c-7",
        "day": date(2026, 11, 20),
        "zone": "Europe/Berlin",
        "currency": "EUR",
        "micros": 12_500_000,
    }
    return Spent(**known | other)


def mistakes(written: str | bytes, terms: Terms = BERLIN) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        read_csv(written, terms)
    return str(caught.value).splitlines()


def stored(store: Store, **which: Any) -> list[Spent]:
    with store.read() as connection:
        return costs(connection, Which(**which))


@pytest.mark.parametrize(
    "written",
    [
        HEAD + ROW,
        (HEAD + ROW).encode("utf-8-sig"),
        (HEAD + ROW).replace(",", ";"),
        HEAD + ROW.replace("com.example,42", " COM.example , 42 ").replace("12.50", "12.5"),
    ],
)
def test_a_file_says_what_a_day_cost(written: str | bytes) -> None:
    """Exactly, in millionths; what it does not say of zone and currency holds of all rows."""
    assert read_csv(written, BERLIN) == [spent(campaign_name="Autumn", impressions=1000)]


def test_a_row_knows_its_zone_and_currency_better() -> None:
    """Accounts of several countries in one file."""
    written = "day,ad_network_id,app_id,cost,zone,currency,account,country\n" + (
        "2026-11-20,com.example,42,1,America/New_York,usd,us,us\n2026-11-20,com.example,42,2,,,,\n"
    )
    assert [
        (row.zone, row.currency, row.account, row.country) for row in read_csv(written, BERLIN)
    ] == [("America/New_York", "USD", "us", "US"), ("Europe/Berlin", "EUR", "", "")]


def test_every_mistake_is_told_with_its_line_and_column() -> None:
    """Whoever mends the file does so once."""
    written = f"""\
{HEAD.strip()},country,zone,currency,clicks
20.11.2026,a b,0x2,c-7,,"12,50",many,DEU,Berlin,EU,-1
1969-12-31,com.example,42,,Autumn,-3,,,,,
2026-11-20,com.example,42,c-7,,1.0000001,,,,,
2026-11-20,com.example,42,c-7,,10000000001,,,,,
2026-11-20,com.example,42,c-7,,1,,,,,
2026-11-20,COM.example,42,c-7,,2,,,,,
2026-11-20,com.example,42
"""
    assert mistakes(written, Terms(zone="Europe/Berlin", currency="EUR")) == [
        "line 2: ad_network_id: `a b` is no ad-network id; one looks like abc123.skadnetwork",
        "line 2: app_id: `0x2` is no App Store id; write its number",
        "line 2: clicks: `-1` is no number of them; write it like 1234",
        "line 2: cost: `12,50` is no cost; write it like 1234.56, not below 0",
        "line 2: country: `DEU` is no country; write two letters, as in US",
        "line 2: currency: `EU` is no currency; write three letters, as in EUR",
        "line 2: day: `20.11.2026` is no day; write it like 2026-11-30",
        "line 2: impressions: `many` is no number of them; write it like 1234",
        "line 2: zone: `Berlin` is no time zone; write one like Europe/Berlin",
        "line 3: cost: `-3` is no cost; write it like 1234.56, not below 0",
        "line 3: day: `1969-12-31` is no day; write it like 2026-11-30",
        "line 4: cost: 1.0000001 has more than 6 digits after the point; round it",
        "line 5: cost: 10000000001 is not between 0 and 10000000000; state what the day cost",
        "line 7: day: line 6 is of the same account, day, network, app, campaign and country; "
        "add them up, or name their accounts",
        "line 8: row: has 3 cells where the first line has 11; "
        "put quotes around a cell with a comma in it",
    ]


def test_a_cost_without_zone_or_currency_is_refused() -> None:
    """An amount of nothing on a day of nowhere."""
    assert mistakes(HEAD + ROW, Terms()) == [
        "line 2: currency: is not said; fill it in, or say --currency for all rows",
        "line 2: zone: is not said; fill it in, or say --zone for all rows",
    ]
    assert mistakes(HEAD + ROW.replace("c-7", "")) == [
        "line 2: campaign_id: is empty beside a campaign_name; "
        "write the network's id, or the name here too"
    ]


def test_wrong_columns_are_told_with_the_right_ones() -> None:
    """Also where there is nothing at all."""
    assert mistakes("day,day,adnetwork_id,cost,\n") == [
        "line 1: `adnetwork_id`: is no column; did you mean `ad_network_id`?",
        "line 1: a column: has no name; delete the column, or name it",
        "line 1: ad_network_id: is missing; add the column",
        "line 1: app_id: is missing; add the column",
        "line 1: day: is there twice; delete one of them",
    ]
    assert mistakes("") == [f"line 1: day: is missing; begin with {','.join(COLUMNS)}"]
    assert mistakes(HEAD + ROW + '"') == [
        "line 3: row: is no CSV (unexpected end of data); write a quote inside quotes twice"
    ]
    assert mistakes((HEAD + ROW.replace("Autumn", "Été")).encode("latin-1")) == [
        "line 2: campaign_name: holds a byte that is not UTF-8 (0xC9); save the file as UTF-8"
    ]


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
formulas = st.tuples(st.sampled_from(["", "'", "''"]), st.sampled_from(FORMULA), texts).map("".join)
names = (texts | formulas).map(cells.text)
counts = st.none() | st.integers(0, cells.LARGEST_COUNT)


@st.composite
def rows(draw: st.DrawFn) -> Spent:
    campaign = draw(names)
    return Spent(
        account=draw(names),
        ad_network_id=draw(st.from_regex(r"[a-z0-9.-]{1,30}", fullmatch=True)),
        app_id=draw(st.integers(0, cells.LARGEST_APP)),
        campaign_id=campaign,
        campaign_name=draw(names) if campaign else "",
        country=draw(st.sampled_from(["", "DE", "US"])),
        day=draw(st.dates(date(1970, 1, 1), date(9000, 1, 1))),
        zone=draw(st.sampled_from(["UTC", "America/New_York"])),
        currency=draw(st.sampled_from(["EUR", "USD"])),
        micros=draw(st.integers(0, cells.LARGEST_COST * cells.MICROS)),
        impressions=draw(counts),
        clicks=draw(counts),
        installs=draw(counts),
    )


@given(st.lists(rows(), max_size=10, unique_by=lambda row: row.key))
def test_what_is_written_is_read_again(table: list[Spent]) -> None:
    """Exactly, and no cell becomes a formula."""
    written = write_csv(table)

    assert read_csv(written, Terms()) == table
    cells_ = [cell for _, row in spreadsheet.rows(written) for cell in row]
    assert not any(cell.startswith(FORMULA) for cell in cells_)


@given(st.decimals(0, cells.LARGEST_COST, places=6))
def test_an_amount_is_kept_to_the_last_digit(amount: Decimal) -> None:
    """A float would not have them all."""
    kept = cells.of_decimal(amount)

    assert Decimal(cells.written(kept)) == amount
    assert cells.micros(cells.written(kept)) == kept


def test_what_is_stated_again_takes_the_place_of_what_was(store: Store) -> None:
    """Networks correct their last days for a week: nothing is counted twice."""
    first = [spent(), spent(day=date(2026, 11, 21)), spent(country="DE")]
    assert import_costs(store, first, replace=False).counts == {
        "added": 3, "changed": 0, "removed": 0, "unchanged": 0,
    }  # fmt: skip
    again = [spent(micros=99, zone="UTC"), spent(country="DE"), spent(campaign_id="c-8")]

    done = import_costs(store, again, replace=False)

    assert done.counts == {"added": 1, "changed": 1, "removed": 0, "unchanged": 1}
    assert set(stored(store)) == {*again, first[1]}


def test_accounts_of_a_network_do_not_replace_each_other(store: Store) -> None:
    """Each in its own zone and currency, of the same day and campaign."""
    ours = spent()
    theirs = spent(account="us", zone="America/New_York", currency="USD")
    import_costs(store, [ours], replace=False)
    import_costs(store, [theirs], replace=True)

    assert set(stored(store)) == {ours, theirs}


def test_replacing_removes_what_a_day_no_longer_has(store: Store) -> None:
    """Of the networks, accounts and days in the file; other days and networks stay."""
    gone = spent(campaign_id="c-8")
    kept = [spent(day=date(2026, 11, 19)), spent(ad_network_id="other"), spent(account="us")]
    import_costs(store, [spent(), gone, *kept], replace=False)

    with store.read() as connection:
        would = changes(connection, [spent()], replace=True)
    assert (would.removed, would.counts["unchanged"]) == ((gone,), 1)
    assert import_costs(store, [spent()], replace=True) == would
    assert set(stored(store)) == {spent(), *kept}


def test_an_empty_file_changes_nothing(store: Store) -> None:
    """There is no day in it."""
    import_costs(store, [spent()], replace=False)

    assert import_costs(store, [], replace=True).counts["removed"] == 0
    assert stored(store) == [spent()]


@pytest.mark.parametrize(
    ("which", "numbers"),
    [
        ({}, [1, 2, 3]),
        ({"account": ""}, [1, 3]),
        ({"account": "us"}, [2]),
        ({"ad_network_id": "COM.example"}, [1, 2]),
        ({"app_id": 42}, [1, 2]),
        ({"first": date(2026, 11, 21)}, [2, 3]),
        ({"last": date(2026, 11, 21)}, [1, 2]),
        ({"first": date(2026, 11, 21), "last": date(2026, 11, 21)}, [2]),
    ],
)
def test_costs_are_found_and_removed_by_whose_they_are(
    store: Store, which: dict[str, Any], numbers: list[int]
) -> None:
    """Days included."""
    of = {
        1: spent(micros=1),
        2: spent(micros=2, account="us", day=date(2026, 11, 21)),
        3: spent(micros=3, ad_network_id="other", app_id=7, day=date(2026, 11, 22)),
    }
    import_costs(store, list(of.values()), replace=False)

    assert [row.micros for row in stored(store, **which)] == numbers
    assert remove_costs(store, Which(**which)) == len(numbers)
    assert {row.micros for row in stored(store)} == of.keys() - set(numbers)


def test_pages_follow_each_other(store: Store) -> None:
    """Each once."""
    whole = [replace(spent(), micros=n, campaign_id=f"{n}") for n in range(5)]
    import_costs(store, whole, replace=False)
    seen: list[Spent] = []
    after = 0
    with store.read() as connection:
        while page := find(connection, Which(), after=after, limit=2):
            seen += map(spent_of, page)
            after = page[-1].id
    assert seen == whole
