"""The simulator, the demo and the doctor from the command line."""

import json
import re
import shlex
from pathlib import Path

import pytest

from skan_receiver.protocol import Keys, examine
from skan_receiver.simulator.world import installs, load_world
from tests.cli.conftest import Run

ROOT = Path(__file__).parents[2]

SMALL = f"""
name: small
start: 2026-06-01
days: 3
networks: [{{id: one.skadnetwork}}]
apps:
  - id: 525463029
    schemas:
      - {{since: 2026-01-01, file: {ROOT / "conversion_schemas" / "525463029.yaml"}}}
campaigns:
  - app: 525463029
    network: one.skadnetwork
    source: "5239"
    daily: 20
    publishers: {{1234567891: 1}}
    behaviour: players
behaviours:
  players: {{events: {{session: {{per_active_day: 1}}}}}}
"""


@pytest.fixture
def scenario(tmp_path: Path) -> str:
    """A small one, beside where commands run."""
    (tmp_path / "small.yaml").write_text(SMALL)
    return "small.yaml"


def test_two_runs_with_one_seed_give_identical_files(
    run: Run, scenario: str, tmp_path: Path
) -> None:
    """Byte for byte."""
    for name in ("a", "b"):
        done = run("simulate", "run", scenario, "--seed", "7", "--to", name, "--json")
        assert done.status == 0, done.err
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() != b""
    assert {name: value for name, value in done.lines[0].items() if name != "n"} == {
        "what": "conversions",
        "of": "download",
        "tier": None,
    }


def test_a_run_into_the_database_needs_the_key_to_be_trusted(run: Run, scenario: str) -> None:
    """And says how; then the times are the simulated ones."""
    refused = run("simulate", "run", scenario, "--to", "db")
    assert refused.status == 2
    assert "SKAN_TEST_KEYS=" in refused.err
    keys = run("simulate", "keys").out.strip()
    done = run("simulate", "run", scenario, "--to", "db", SKAN_TEST_KEYS=keys)
    assert done.status == 0, done.err
    assert done.lines[0]["stored"] > 30
    (first, *_) = run("postbacks", "list", "--json").lines
    assert first["received_at"].startswith("2026-0")
    assert first["verdict"] == "development"


def test_start_and_until_move_and_cut_a_run(run: Run, scenario: str, tmp_path: Path) -> None:
    """Another first day, and nothing that would arrive later than told."""
    done = run(
        *("simulate", "run", scenario, "--to", "a"),
        *("--start", "2026-02-01", "--until", "2026-02-10"),
    )
    assert done.status == 0, done.err
    lines = (tmp_path / "a").read_text().splitlines()
    days = {json.loads(line)["received_at"][:10] for line in lines}
    assert days
    assert min(days) > "2026-02-01"
    assert max(days) < "2026-02-10"


def test_the_truth_is_written_as_parquet(run: Run, scenario: str, tmp_path: Path) -> None:
    """A file a day and table."""
    assert run("simulate", "truth", scenario, "--to", "truth").status == 0
    found = sorted(path.relative_to(tmp_path) for path in tmp_path.glob("truth/*/*.parquet"))
    assert len(found) == 4 * 3


@pytest.mark.parametrize("version", ["1.0", "2.2", "3.0", "4.0", "adattributionkit"])
def test_one_by_hand_is_a_curl_command(run: Run, tmp_path: Path, version: str) -> None:
    """With a body that the test key has signed."""
    done = run("simulate", "send", "--version", version, "--app", "7", "--fine", "12")
    command = shlex.split(done.out)
    assert command[:3] == ["curl", "-i", "http://127.0.0.1:8000/receive"]
    keys = Keys.load(None, tmp_path / "var/simulator/test-keys.json")
    seen = examine(command[-1], keys)
    assert seen.verdict == "development"
    assert seen.postback is not None
    assert (seen.postback.app_id, seen.postback.fine_value) == (7, 12)


def test_sending_to_nobody_is_a_negative_answer(run: Run) -> None:
    """One line."""
    done = run("simulate", "send", "--to", "http://127.0.0.1:1/receive")
    assert done.status == 1
    assert "no answer" in done.err


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        ("behaviour: players", "behaviour: nobody", "campaigns.0.behaviour: 'nobody'"),
        ('source: "5239"', "source: 52", "campaigns.0.source"),
        ("daily: 20", "dayly: 20", "campaigns.0.dayly"),
        ("{session: {per_active_day: 1}}", "{session: {}}", "median_hours"),
        ("name: small", "name: [", "not YAML"),
        ("id: 525463029", "id: 7", "campaigns.0.app"),
    ],
)
def test_what_is_wrong_with_a_scenario_is_one_line(
    run: Run, scenario: str, tmp_path: Path, was: str, becomes: str, said: str
) -> None:
    """The file and the field."""
    (tmp_path / scenario).write_text(SMALL.replace(was, becomes))
    done = run("simulate", "run", scenario, "--to", "a")
    assert done.status == 2
    assert said in done.err
    assert len(done.err.splitlines()) == 1


def test_every_scenario_of_ours_can_be_run() -> None:
    """Up to its first days."""
    for path in sorted((ROOT / "scenarios").glob("*.yaml")):
        assert len(installs(load_world(path, 1), 0)) > 100


def test_the_demo_fills_a_sandbox_of_its_own(run: Run, scenario: str, tmp_path: Path) -> None:
    """It ends with a summary, and touches nothing but its folder."""
    done = run("demo", "--scenario", scenario, "--no-serve")
    assert done.status == 0, done.err
    assert "development" in done.out
    assert re.search(r"[1-9]\d* installs are counted", done.out)
    assert "valid " not in done.out
    assert (tmp_path / "var/demo/skan.sqlite3").exists()
    assert len(list((tmp_path / "var/demo/exports/daily").glob("*.csv"))) == 14
    assert run("postbacks", "list", "--json").lines == []


def test_the_doctors_answer_is_the_exit_status(run: Run, tmp_path: Path) -> None:
    """0 while nothing is bad."""
    assert run("doctor").status == 0
    (tmp_path / "Info.plist").write_text("<plist><dict/></plist>")
    done = run("doctor", "--plist", "Info.plist", "--json")
    assert done.status == 1
    assert {line["state"] for line in done.lines} >= {"good", "bad"}
