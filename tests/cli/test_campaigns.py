"""`campaigns`, as a shell runs it."""

from pathlib import Path

from tests.cli.conftest import Run

TABLE = """\
ad_network_id,app_id,source_identifier,skan_campaign_id,starts_on,ends_on,campaign_name,ad_name,channel
com.example,525463029,5239,,2026-10-01,,Autumn,Video 3,Display
com.example,525463029,1139,,2026-10-01,2026-12-31,Autumn,"-50%, now",Display
COM.example,,,20,2026-01-01,,Search,,
"""
LOOKUP = ("campaigns", "lookup", "--network", "com.example", "--app", "525463029")


def test_a_table_comes_out_as_it_went_in(run: Run, tmp_path: Path) -> None:
    """What is exported can be edited in a spreadsheet and imported again."""
    (tmp_path / "ads.csv").write_text(TABLE)

    assert run("campaigns", "import", "ads.csv").out == (
        "3 added, 0 changed, 0 removed, 0 unchanged\n"
    )
    exported = run("campaigns", "export").out
    assert '"\'-50%, now"' in exported
    done = run("campaigns", "import", "-", "--replace", "--json", stdin=exported)
    assert done.lines == [
        {"added": 0, "changed": 0, "removed": 0, "unchanged": 3, "dry_run": False}
    ]


def test_a_dry_run_says_what_would_change_and_changes_nothing(run: Run) -> None:
    """Read before it is done, above all where rows would go."""
    run("campaigns", "import", "-", stdin=TABLE)
    edited = TABLE.replace("Video 3", "Video 5").replace(",1139,", ",1140,")

    done = run("campaigns", "import", "-", "--replace", "--dry-run", stdin=edited)

    assert done.out.splitlines() == [
        "add com.example, app 525463029, 1140, 2026-10-01 to 2026-12-31",
        "change com.example, app 525463029, 5239, from 2026-10-01 on: "
        "ad_name `Video 3` to `Video 5`",
        "remove com.example, app 525463029, 1139, 2026-10-01 to 2026-12-31",
        "would be 1 added, 1 changed, 1 removed, 1 unchanged",
    ]
    assert "1140" not in run("campaigns", "export").out


def test_mistakes_are_wrong_use_and_nothing_is_imported(run: Run, tmp_path: Path) -> None:
    """Each with its line, below the name of the file."""
    (tmp_path / "ads.csv").write_text(TABLE.replace("2026-10-01", "1.10.2026"))

    done = run("campaigns", "import", "ads.csv")

    assert done.status == 2
    assert done.err.splitlines() == [
        "skan-receiver: ads.csv: nothing is imported",
        "line 2: starts_on: `1.10.2026` is no day; write it like 2026-11-30",
        "line 3: starts_on: `1.10.2026` is no day; write it like 2026-11-30",
    ]
    assert run("campaigns", "list", "--json").lines == []


def test_a_list_is_of_a_network_an_app_and_a_day(run: Run) -> None:
    """Of each that is asked for."""
    run("campaigns", "import", "-", stdin=TABLE)

    def listed(*options: str) -> list[str]:
        lines = run("campaigns", "list", "--json", *options).lines
        return [line["source_identifier"] or str(line["skan_campaign_id"]) for line in lines]

    assert listed() == ["20", "1139", "5239"]
    assert listed("--network", "Com.Example", "--app", "525463029") == ["1139", "5239"]
    assert listed("--app", "0") == ["20"]
    assert listed("--on", "2026-09-30") == ["20"]
    assert listed("--on", "2026-12-31") == ["20", "1139", "5239"]
    assert listed("--on", "2027-01-01") == ["20", "5239"]
    assert listed("--network", "other.example") == []
    assert run("campaigns", "list", "--network", "a b").status == 2
    assert "Autumn" in run("campaigns", "list").out


def test_a_lookup_says_why_names_stay_empty(run: Run) -> None:
    """Rows differ, or say nothing, or there is none."""
    run("campaigns", "import", "-", stdin=TABLE)

    done = run(*LOOKUP, "--source", "39", "--arrived", "2026-11-20T10:00", "--json")
    said = {line["field"]: (line["name"], line["why"]) for line in done.lines}

    assert done.status == 0
    assert said["campaign_name"] == ("Autumn", "")
    assert said["ad_name"] == ("", "rows differ: `-50%, now`, `Video 3`")
    assert said["tracker"] == ("", "no row says it")
    assert done.err == "shown from 2026-10-17 10:00 to 2026-11-19 11:00 UTC: 2 rows\n"
    old = run(*LOOKUP, "--campaign", "20", "--arrived", "2026-11-20")
    assert "Search" in old.out
    assert old.err.endswith(": 1 row\n")


def test_a_lookup_that_names_nothing_is_a_negative_answer(run: Run) -> None:
    """And one that cannot be answered is wrong use."""
    none = run(*LOOKUP, "--source", "5239", "--arrived", "2026-11-20")

    assert (none.status, none.out.count("no row fits")) == (1, 9)
    for options in (
        ["--arrived", "2026-11-20"],
        ["--arrived", "2026-11-20", "--source", "39", "--campaign", "39"],
        ["--arrived", "2026-11-20", "--source", "12345"],
        ["--arrived", "0001-01-01", "--source", "39"],
        ["--source", "39"],
    ):
        assert run(*LOOKUP, *options).status == 2
