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
