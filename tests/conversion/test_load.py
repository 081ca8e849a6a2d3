"""Reading schema files, and what is wrong with them."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skan_receiver.conversion import check, load_folder, load_schema
from skan_receiver.errors import SchemaError
from tests.conversion.schemas import EXAMPLES, FOLDER, rules, text

TEN = """\
app: 12x
currency: usd
events:
  purchase: {revenue: cash}
  registration:
windows:
  0:
    fine:
      model: rules
      rules:
        - {value: 64, when: [{event: purchase}]}
        - {value: 5, when: [{event: purchas}]}
        - {value: 4, when: [{event: registration, at_least: 3, at_most: 2}]}
        - {value: 3, whn: []}
        - {value: 2, when: [{evnt: registration}]}
        - {value: low}
    lock: {}
"""
TEN_LINES = """\
shop.yaml:1: app: is no whole number: the app's id in the App Store
shop.yaml:2: currency: is not written as it should be: three capital letters, such as USD; \
it is that of every amount
shop.yaml:4: events.purchase.revenue: is not one of 'iap' or 'ad'
shop.yaml:11: windows.0.fine.rules[0].value: is no value: write a fine value from 0 to 63, \
or low, medium or high
shop.yaml:12: windows.0.fine.rules[1].when[0].event: purchas is no event of this schema; \
did you mean `purchase`?
shop.yaml:13: windows.0.fine.rules[2].when[0]: holds no number: its lower bound is not below \
its upper bound
shop.yaml:14: windows.0.fine.rules[3].whn: is no field here; did you mean `when`?
shop.yaml:15: windows.0.fine.rules[4].when[0]: is no condition: name an event, revenue, time \
or flag
shop.yaml:16: windows.0.fine.rules[5].value: low is no value of this part: write a number \
from 0 to 63
shop.yaml:17: windows.0.lock: locks on nothing: name an event, a fine or coarse value, or hours
"""

SPOILED = [
    "",
    "-",
    "x:",
    "[]",
    "{}",
    "null",
    "-1",
    "64",
    "1.5",
    "true",
    "low",
    "2026-02-30",
    "*a",
    "'",
]


def test_ten_mistakes_are_ten_lines() -> None:
    """An author mends a file once, not ten times."""
    with pytest.raises(SchemaError) as error:
        load_schema(TEN, name="shop.yaml")

    assert f"{error.value}\n" == TEN_LINES


def test_every_schema_in_the_repository_loads() -> None:
    """The folder that `make run` starts with has no mistakes."""
    assert 525463029 in load_folder(FOLDER)
    assert load_folder(FOLDER / "examples")


@pytest.mark.parametrize(
    ("broken", "line"),
    [
        ("app: 1\n  windows: [", "x:2: schema: is not YAML here: mapping values are not allowed"),
        ("app: 1\napp: 2\nwindows: {0: {}}\n", "x:2: app: is written twice, first on line 1"),
        ("- app\n- windows\n", "x:1: schema: is no schema: it begins with `app:` and `windows:`"),
        ("\n", "x:1: schema: is no schema: it begins with `app:` and `windows:`"),
        ("app: 1\nwindows: &a {0: *a}\n", "x:1: schema: is nested too deeply to be a schema"),
        ("[" * 4000 + "\n", "x:1: schema: is nested too deeply to be a schema"),
        ("app: !!python/name:os.system x\n", "x:1: schema: is not YAML"),
        ("app: 1\n", "x:1: windows: is missing: windows 0, 1, 2"),
        ("app: true\nwindows: {0: {}}\n", "x:1: app: is no whole number"),
        ("app: '1'\nwindows: {0: {}}\n", "x:1: app: is no whole number"),
        ("app: 1\nwindows:\n", "x:2: windows: is empty: fill it in, or delete it"),
        ("app: 1\x00\n", "x:1: schema: is not YAML"),
    ],
)
def test_a_file_that_is_no_schema_says_where(broken: str, line: str) -> None:
    """Whatever is in a file, loading it ends in a sentence with a line number."""
    with pytest.raises(SchemaError) as error:
        load_schema(broken, name="x")

    assert any(str(problem).startswith(line) for problem in error.value.problems), error.value


def test_many_aliases_do_not_grow_without_end() -> None:
    """Ten aliases of ten aliases of … are a few bytes, and would be gigabytes."""
    levels = "\n".join(f"b{i}: &b{i} [{', '.join([f'*b{i - 1}'] * 10)}]" for i in range(1, 12))

    (problem, *_) = check(f"b0: &b0 [x]\n{levels}\n")

    assert "nested too deeply" in problem.what


def test_a_file_that_is_not_there_is_a_problem_too(tmp_path: Path) -> None:
    """A wrong path in a setting gets the same kind of answer as a wrong field."""
    with pytest.raises(SchemaError, match=r"none\.yaml:1: schema: cannot be read: No such file"):
        load_schema(tmp_path / "none.yaml")


def test_a_folder_reports_the_mistakes_of_all_files(tmp_path: Path) -> None:
    """Both files are mended in one go; examples further down are not this server's apps."""
    (tmp_path / "a.yaml").write_text(text(rules("value: 64")))
    (tmp_path / "b.yml").write_text(text(rules("value: 65")))
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "c.yaml").write_text("nothing")

    with pytest.raises(SchemaError) as error:
        load_folder(tmp_path)

    assert [Path(str(problem).split(":")[0]).name for problem in error.value.problems] == [
        "a.yaml",
        "b.yml",
    ]


def test_one_app_has_one_schema(tmp_path: Path) -> None:
    """Two files for one app would make decoding a matter of luck."""
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(text(rules("value: 1")))

    with pytest.raises(SchemaError, match=r"b\.yaml:1: app: 42 has a schema already, in .*a\.yaml"):
        load_folder(tmp_path)


def test_revenue_needs_a_currency() -> None:
    """A number without a currency is no amount."""
    without = text(rules("value: 1, when: [{revenue: iap, at_least: 1}]"))
    without = without.replace("currency: USD\n", "")

    mistakes = [problem for problem in check(without) if not problem.warning]

    assert ["is in no currency" in problem.what for problem in mistakes] == [True]


def test_the_hash_is_of_the_content() -> None:
    """Comments and the order of fields change nothing; a value does."""
    one = load_schema(text(rules("value: 1, label: A")))
    same = load_schema("# Mine.\n" + text(rules("label: A, value: 1")))
    other = load_schema(text(rules("value: 2, label: A")))

    assert one.hash == same.hash != other.hash


def test_the_hash_is_of_numbers_not_of_digits() -> None:
    """5.0 is 5: a file that says the same is no new version."""
    bounds = ("5", "5.0", "5.5")
    rule = "value: 1, when: [{{revenue: iap, at_least: {}}}]"
    one, same, other = (load_schema(text(rules(rule.format(bound)))).hash for bound in bounds)

    assert one == same != other


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_damage_to_a_file_gets_past_the_checks(data: st.DataObject) -> None:
    """However a file is spoiled, checking it ends in problems or in a schema, never in a crash."""
    lines = data.draw(st.sampled_from(EXAMPLES)).read_text().splitlines()
    for _ in range(data.draw(st.integers(1, 4))):
        index = data.draw(st.integers(0, len(lines) - 1))
        words = lines[index].split(" ")
        words[data.draw(st.integers(0, len(words) - 1))] = data.draw(st.sampled_from(SPOILED))
        lines[index] = " ".join(words)
    spoiled = "\n".join(lines) + "\n"

    problems = check(spoiled)

    if not [problem for problem in problems if not problem.warning]:
        assert list(load_schema(spoiled).meanings())
