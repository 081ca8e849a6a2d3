"""`schemas`, as a shell runs it."""

import json
from pathlib import Path

from tests.cli.conftest import Run
from tests.conversion.schemas import FOLDER
from tests.conversion.test_load import TEN, TEN_LINES

RULES = str(FOLDER / "examples" / "rules.yaml")


def test_check_prints_ten_lines_for_ten_mistakes(run: Run, tmp_path: Path) -> None:
    """An author mends the file once; a script sees the exit status."""
    (tmp_path / "shop.yaml").write_text(TEN)

    done = run("schemas", "check", "shop.yaml")

    assert (done.status, done.out) == (1, TEN_LINES)


def test_check_passes_what_only_has_warnings(run: Run, tmp_path: Path) -> None:
    """Doubts are printed, and stop nobody."""
    (tmp_path / "a.yaml").write_text(
        "app: 1\nwindows:\n  0:\n    fine:\n      model: rules\n      rules: [{value: 1}]\n"
    )

    done = run("schemas", "check", ".", "--json")

    assert done.status == 0
    assert [(line["warning"], line["field"]) for line in done.lines] == [(True, "windows.0.fine")]


def test_check_finds_two_schemas_for_one_app(run: Run, tmp_path: Path) -> None:
    """Each file is right, and together they are not."""
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(Path(RULES).read_text())

    done = run("schemas", "check", ".")

    assert done.status == 1
    assert "1000000001 has a schema already" in done.out


def test_show_says_every_value_in_words(run: Run) -> None:
    """A growth manager reads what was meant, without reading YAML."""
    assert "purchase 1–2 times, in-app revenue from 50.00 EUR" in run("schemas", "show", RULES).out


def test_compile_is_one_json_object(run: Run) -> None:
    """Programs get every meaning, and the hash that names the content."""
    (line,) = run("schemas", "compile", RULES).lines

    assert line["app_id"] == 1000000001
    assert len(line["hash"]) == 64
    assert {meaning["window"] for meaning in line["meanings"]["install"]} == {0, 1, 2}


def test_decode_reads_single_values(run: Run) -> None:
    """The quickest question: what is a 30?"""
    known = run("schemas", "decode", RULES, "30", "high", "--json")
    unknown = run("schemas", "decode", RULES, "31", "7")

    assert known.status == 0
    assert known.lines[0]["words"] == "purchase 1–2 times, in-app revenue from 50.00 EUR"
    assert unknown.status == 1
    assert "value not in schema" in unknown.out
    assert run("schemas", "decode", RULES, "64").status == 2


def test_encode_replays_users(run: Run) -> None:
    """What the phone would set, before a phone is asked."""
    events = [{"name": "purchase", "hours": hours, "revenue": 30} for hours in (1, 2)]
    user = json.dumps({"events": events})

    (line,) = run("schemas", "encode", RULES, "-", stdin=user).lines

    first, second, third = line["windows"]
    assert (first["fine"], first["coarse"], first["locked_at"]) == (30, "high", 2)
    assert second["coarse"] is third["coarse"] is None
    assert (
        "line 1: events.0.name" in run("schemas", "encode", RULES, "-", stdin='{"events":[{}]}').err
    )


def test_the_schema_for_editors_is_the_committed_one(run: Run) -> None:
    """How conversion_schemas/schema.json is made."""
    assert run("schemas", "json-schema").out == (FOLDER / "schema.json").read_text()


EVENTS = """\
user,event,hours,revenue,currency
anna,purchase,1,4.99,EUR
ben,purchase,1,60,EUR
cleo,session,1,,
dan,ad_impression,2,0.02,EUR
"""


def test_simulate_compares_schemas(run: Run, tmp_path: Path) -> None:
    """Which of two schemas tells more is seen before an app is shipped with either."""
    (tmp_path / "events.csv").write_text(EVENTS)
    (tmp_path / "coarser.yaml").write_text(
        "app: 1\ncurrency: EUR\nevents: {purchase: {revenue: iap}}\nwindows:\n  0:\n    fine:\n"
        "      {model: engagement, event: purchase, counts: [1]}\n"
    )
    command = ("schemas", "simulate", "events.csv", "--schema", RULES, "--schema", "coarser.yaml")

    shown, lines = run(*command, "--users", "5"), run(*command, "--json").lines

    assert shown.status == 0
    assert "B   coarser.yaml" in shown.out
    assert "60.00%  " in shown.out  # three of five have value 0
    fine = [line for line in lines if line["scale"] == "fine"]
    assert [line["used"] for line in fine] == [3, 2]
    assert fine[0]["squared_error"] < fine[1]["squared_error"]


def test_suggest_prints_a_schema(run: Run, tmp_path: Path) -> None:
    """From users' events to a file that checks, in two commands."""
    (tmp_path / "events").mkdir()
    (tmp_path / "events" / "day.csv").write_text(EVENTS)
    command = ("schemas", "suggest", "events", "--bits", "2")

    done = run(*command, "--app", "42", "--event", "purchase", "--event", "ad_impression=ad")
    (tmp_path / "shop.yaml").write_text(done.out)

    assert done.status == 0
    assert run("schemas", "check", "shop.yaml").status == 0
    (line,) = run(*command, "--kind", "iap", "--json").lines
    assert [bucket["users"] for bucket in line["buckets"]] == [1, 1, 1, 1]
    assert [loss["method"] for loss in line["losses"]] == ["suggested", "quantile", "equal width"]


def test_suggest_says_what_it_lacks(run: Run, tmp_path: Path) -> None:
    """A currency, an event that exists, one currency alone."""
    (tmp_path / "events.csv").write_text("user,event,hours,revenue\nanna,purchase,1,5\n")
    command = ("schemas", "suggest", "events.csv")

    assert "say it with --currency" in run(*command).err
    assert "write three capital letters" in run(*command, "--currency", "euro").err
    assert "no event purchas" in run(*command, "--currency", "EUR", "--event", "purchas").err
    (tmp_path / "events.csv").write_text(f"{EVENTS}eve,purchase,1,5,USD\n")
    assert "amounts in EUR and USD" in run(*command).err
