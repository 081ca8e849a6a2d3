"""`costs` and `rates`, as a shell runs them."""

from tests.cli.conftest import Run

COSTS = """\
day,ad_network_id,app_id,campaign_id,campaign_name,cost,impressions
2026-11-20,COM.example,42,c-7,"=Autumn, 50%",12.50,1000
2026-11-21,com.example,42,c-7,"=Autumn, 50%",7,
"""
BERLIN = ("--zone", "Europe/Berlin", "--currency", "EUR")
RATES = "Date,USD,JPY,CYP,\n2026-11-20,1.25,160,N/A,\n2026-11-19,1.3,161,N/A,\n"


def test_costs_come_out_as_they_went_in(run: Run) -> None:
    """What is exported can be edited in a spreadsheet and imported again."""
    assert run("costs", "import", "-", *BERLIN, stdin=COSTS).out == (
        "2 added, 0 changed, 0 removed, 0 unchanged\n"
    )
    exported = run("costs", "export").out
    assert '"\'=Autumn, 50%"' in exported
    done = run("costs", "import", "-", "--json", stdin=exported.replace("12.50", "12.51"))
    assert done.lines == [
        {"added": 0, "changed": 1, "removed": 0, "unchanged": 1, "dry_run": False}
    ]
    first, _ = run("costs", "list", "--json").lines
    assert (first["cost"], first["zone"], first["currency"]) == ("12.51", "Europe/Berlin", "EUR")
    assert "12.51" in run("costs", "list").out


def test_a_dry_run_says_what_would_change_and_changes_nothing(run: Run) -> None:
    """Above all where rows would go."""
    run("costs", "import", "-", *BERLIN, stdin=COSTS)
    edited = COSTS.replace("c-7", "c-8")

    done = run("costs", "import", "-", *BERLIN, "--replace", "--dry-run", stdin=edited)

    assert done.out == "would be 2 added, 0 changed, 2 removed, 0 unchanged\n"
    assert "c-8" not in run("costs", "export").out
    run("costs", "import", "-", *BERLIN, "--replace", stdin=edited)
    assert {row["campaign_id"] for row in run("costs", "list", "--json").lines} == {"c-8"}


def test_mistakes_are_wrong_use_and_nothing_is_imported(run: Run) -> None:
    """Each with its line, and what to do."""
    done = run("costs", "import", "-", "--zone", "UTC", stdin=COSTS.replace("12.50", "12.5 €"))

    assert done.status == 2
    assert done.err.splitlines()[1:] == [
        "line 2: cost: `12.5 \\u20ac` is no cost; write it like 1234.56, not below 0",
        "line 3: currency: is not said; fill it in, or say --currency for all rows",
    ]
    assert run("costs", "list", "--json").lines == []
    wrong = run("costs", "import", "-", "--zone", "Berlin", stdin=COSTS)
    assert wrong.status == 2
    assert "write one like Europe/Berlin" in wrong.err


def test_costs_are_listed_and_removed_by_whose_they_are(run: Run) -> None:
    """Never all of them by a slip of the hand."""
    run("costs", "import", "-", *BERLIN, "--account", "de", stdin=COSTS)
    run("costs", "import", "-", *BERLIN, stdin=COSTS)

    assert len(run("costs", "list", "--json", "--to", "2026-11-20").lines) == 2
    assert run("costs", "remove").status == 2
    assert run("costs", "remove", "--account", "de", "--from", "2026-11-21").out == "1 removed\n"
    done = run("costs", "remove", "--network", "Com.Example", "--account", "", "--json")
    assert done.lines == [{"removed": 2}]
    (left,) = run("costs", "list", "--json").lines
    assert (left["account"], left["day"]) == ("de", "2026-11-20")


def test_a_report_is_in_one_currency_once_there_are_rates(run: Run) -> None:
    """And until then says which file it wants."""
    run("costs", "import", "-", *BERLIN, stdin=COSTS)
    asked = ("report", "roas", "--from", "2026-11-20", "--to", "2026-11-21", "--by", "day")

    missing = run(*asked, "--currency", "USD", "--json")
    assert missing.status == 2
    assert "no rate of EUR for 2026-11-20 or the 7 days before" in " ".join(missing.err.split())
    assert "skan-receiver rates import FILE" in " ".join(missing.err.split())

    assert run("rates", "import", "-", stdin=RATES).out == "4 rates of 2 days\n"
    rows = run(*asked, "--currency", "USD", "--json").lines
    assert [(row["day"], row["cost"], row["currency"]) for row in rows] == [
        ("2026-11-20", 15.625, "USD"),
        ("2026-11-21", 8.75, "USD"),
    ]


def test_rates_come_out_one_a_line(run: Run) -> None:
    """Whichever shape they came in."""
    assert run("rates", "import", "-", "--json", stdin=RATES).lines == [{"rates": 4, "days": 2}]
    exported = run("rates", "export", "--currency", "USD").out
    assert exported.splitlines() == [
        "day,currency,rate,base,source",
        "2026-11-19,USD,1.3,EUR,ECB",
        "2026-11-20,USD,1.25,EUR,ECB",
    ]
    run("rates", "import", "-", stdin=exported.replace("1.25", "1.5").replace("ECB", "own"))
    (row,) = run("rates", "list", "--json", "--currency", "usd", "--from", "2026-11-20").lines
    assert (row["rate"], row["source"]) == (1.5, "own")
    assert "161.0" in run("rates", "list", "--to", "2026-11-19").out
    wrong = run("rates", "import", "-", stdin=RATES.replace("1.25", "1,25"))
    assert wrong.status == 2
    assert "line 2: row: has 6 cells where the first line has 5" in wrong.err
