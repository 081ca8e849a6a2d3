"""What the commands print, and the status they end with."""

import gzip
import json
from pathlib import Path

from skan_receiver.cli import COMMANDS
from skan_receiver.testing import Signer
from tests.cli.conftest import Run
from tests.protocol import apple


def ndjson(*bodies: object) -> str:
    return "\n".join(json.dumps(body) for body in bodies) + "\n"


def test_help_lists_every_command_and_each_explains_itself(run: Run) -> None:
    """A newcomer finds everything from `--help`."""
    overview = run("--help").out
    for name in COMMANDS:
        assert name in overview
        assert run(name, "--help").status == 0, name


def test_verify_prints_a_line_each_and_fails_unless_all_are_valid(run: Run) -> None:
    """Of what Apple published: 7 valid, 1 development, the rest not."""
    done = run("verify", "-", stdin=ndjson(*apple.BODIES.values()))
    verdicts = [line["verdict"] for line in done.lines]
    assert (verdicts.count("valid"), verdicts.count("development")) == (7, 1)
    assert len(verdicts) == len(apple.BODIES)
    assert done.status == 1
    valid = [body for _, body, verdict, _ in apple.PUBLISHED if verdict == "valid"]
    assert run("verify", "-", stdin=ndjson(*valid)).status == 0


def test_verify_reads_a_pretty_printed_body(run: Run) -> None:
    """As copied from Apple's page."""
    body = json.dumps(apple.BODIES["4.0 from the web, high tier"], indent=2)
    (line,) = run("verify", "-", stdin=body).lines
    assert (line["verdict"], line["version"], line["key_id"]) == ("valid", "4.0", "apple/P-256")


def test_verify_needs_no_database(run: Run) -> None:
    """It judges a file on any machine."""
    body = json.dumps(apple.BODIES["4.0 from the web, high tier"])
    assert run("verify", "-", stdin=body, DATABASE_URL="sqlite:////nowhere/x").status == 0


def test_verify_believes_the_keys_it_is_given(run: Run, tmp_path: Path) -> None:
    """SKAN_TEST_KEYS can only yield development, SKAN_KEYS what its file says."""
    signer = Signer(seed=1)
    (tmp_path / "test.json").write_text(json.dumps(signer.test_keys()))
    (tmp_path / "keys.json").write_text(json.dumps(signer.production_keys()))
    body = json.dumps(signer.skadnetwork("4.0"))
    test = run("verify", "-", stdin=body, SKAN_TEST_KEYS="test.json")
    own = run("verify", "-", stdin=body, SKAN_KEYS="keys.json")
    assert (test.lines[0]["verdict"], test.status) == ("development", 1)
    assert (own.lines[0]["verdict"], own.status) == ("valid", 0)


def test_a_wrong_setting_is_one_line_and_wrong_use(run: Run) -> None:
    """No traceback: the variable, and what is wrong with it."""
    done = run("verify", "-", PORT="eighty")
    assert done.status == 2
    assert "PORT" in done.err
    assert len(done.err.splitlines()) == 1


def test_a_missing_key_file_is_named(run: Run) -> None:
    """The file, and what to do."""
    done = run("verify", "-", stdin="{}", SKAN_KEYS="none.json")
    assert done.status == 2
    assert "none.json" in done.err


def test_a_database_of_another_release_is_refused_with_the_remedy(run: Run, tmp_path: Path) -> None:
    """Commands do not migrate behind one's back."""
    url = f"sqlite:///{tmp_path}/new.sqlite3"
    refused = run("reread", DATABASE_URL=url)
    assert refused.status == 2
    assert "db upgrade" in refused.err
    assert run("db", "current", DATABASE_URL=url).status == 1
    assert run("db", "upgrade", DATABASE_URL=url).status == 0
    assert run("db", "current", DATABASE_URL=url).status == 0
    assert "nothing to do" in run("db", "upgrade", DATABASE_URL=url).out


def test_an_import_counts_its_outcomes(run: Run, tmp_path: Path) -> None:
    """A JSON line a file; a refused line makes the status 1."""
    (tmp_path / "log.ndjson").write_text(ndjson(*apple.BODIES.values()) + "not json\n")
    done = run("ingest", "log.ndjson")
    assert done.status == 1
    assert "log.ndjson:14: " in done.err
    (line,) = done.lines
    assert line["refused"] == 1
    assert line["quarantined"] == 1
    assert line["collision"] == 3
    again = run("ingest", "log.ndjson")
    assert again.lines[0]["imported_before"] == 14


def test_a_gzipped_log_is_imported_as_it_is(run: Run, tmp_path: Path) -> None:
    """As logrotate leaves them."""
    text = ndjson(*apple.BODIES.values()).encode()
    (tmp_path / "log.ndjson.gz").write_bytes(gzip.compress(text))
    (line,) = run("ingest", "log.ndjson.gz").lines
    assert line["lines"] == len(apple.BODIES)


def test_apps_and_networks_are_registered_and_listed(run: Run) -> None:
    """Ids compare without case; removing what is not there is a negative answer."""
    assert run("apps", "add", "525463029", "--name", "Ours").status == 0
    assert run("networks", "add", "ABC.skadnetwork").status == 0
    assert run("apps", "list", "--json").lines == [{"id": "525463029", "name": "Ours"}]
    assert run("networks", "list", "--json").lines == [{"id": "abc.skadnetwork", "name": ""}]
    assert run("networks", "remove", "abc.SKADNETWORK").status == 0
    assert run("networks", "remove", "abc.skadnetwork").status == 1
    assert run("networks", "add", "not an id").status == 2
