"""`statements`, and `report reconcile`, as a shell runs them."""

from pathlib import Path

from tests.cli.conftest import Run

SUMS = """\
Date,Partner,SKAN Network ID,SKAN Installs,SKAN Revenue,Currency
2026-11-01,Meta,,10,2.5,EUR
2026-11-02,Meta,,5,,
"""
META = ("--network", "Meta=v9wttpbfk9.skadnetwork,n38lu8286q.skadnetwork", "--app", "525463029")
OF_ALL = ("--network", "v9wttpbfk9.skadnetwork", "--app", "525463029")
NOVEMBER = ("--from", "2026-11-01", "--to", "2026-11-30")


def test_a_statement_is_imported_listed_compared_and_removed(run: Run, tmp_path: Path) -> None:
    """From a file of theirs to the way from their number to ours."""
    (tmp_path / "theirs.csv").write_text(SUMS)

    done = run("statements", "import", "theirs.csv", "--as", "november", *OF_ALL)
    assert done.out == (
        "november (singular) is imported: 15 in 2 lines, 2026-11-01 to 2026-11-02\n"
    ), done.err
    zone = ("--zone", "Europe/Berlin", "--basis", "install")
    again = run(
        "statements", "import", "-", "--as", "november", "--json", *OF_ALL, *zone, stdin=SUMS
    )
    assert (again.lines[0]["replaced"], again.lines[0]["counted"]) == (True, 15)

    (listed,) = run("statements", "list", "--json").lines
    assert (listed["name"], listed["zone"], listed["basis"]) == (
        "november", "Europe/Berlin", "install"
    )  # fmt: skip
    assert listed["revenue"] == [{"amount": 2.5, "currency": "EUR"}]
    assert "2.50 EUR" in run("statements", "list").out

    report = ("report", "reconcile", *NOVEMBER, "--statement", "november")
    steps = {line["step"]: line["count"] for line in run(*report, "--json").lines}
    assert steps == {"theirs": 15, "unexplained": -15, "ours": 0}
    assert "What the statement adds up to" in run(*report).out
    assert run(*report, "--format", "csv", "--by", "day").out.splitlines()[:2] == [
        "day,step,says,count,examples",
        "2026-11-01,theirs,What the statement adds up to,10,",
    ]
    wrong = run("report", "reconcile", "--statement", "december")
    assert wrong.status == 2
    assert "there is none named 'december'; there are: november" in wrong.err
    assert run("report", "reconcile").status == 2

    assert run("statements", "remove", "november").out == "november is removed\n"
    assert run("statements", "remove", "november").status == 1


def test_what_is_wrong_with_a_file_is_told_and_nothing_is_kept(run: Run, tmp_path: Path) -> None:
    """Each mistake with its line, below the name of the file."""
    (tmp_path / "theirs.csv").write_text("day,network,installs\n2026-11-01,Meta,1\nsoon,Moloco,2\n")

    done = run("statements", "import", "theirs.csv", "--as", "x", *META)

    assert done.status == 2
    assert done.err.splitlines() == [
        "skan-receiver: theirs.csv: nothing is imported",
        "line 3: day: `soon` is no day; write it like 2026-11-30",
        "network: `Moloco` (1 row) is no network we know; "
        'say --network "Moloco=abc123.skadnetwork"',
    ]
    assert run("statements", "list", "--json").lines == []
    wrong = run("statements", "import", "theirs.csv", "--as", "x", "--zone", "Berlin")
    assert "'Berlin' is no time zone; one is Europe/Berlin" in wrong.err
    several = run("statements", "import", "theirs.csv", "--as", "x", "--network", "a.b,c.d")
    assert (several.status, 'write "NAME=a.b,c.d"' in several.err) == (2, True)
    wrong = run("statements", "import", "theirs.csv", "--as", "x", "--network", "Meta=a b")
    assert "'Meta=a b': `a b` is no ad-network id; one looks like abc123.skadnetwork" in wrong.err
