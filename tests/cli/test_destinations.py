"""Destinations and deliveries from a shell: added, tried, delivered, replayed."""

import json
from pathlib import Path

from skan_receiver.storage import Store
from tests.cli.conftest import Run
from tests.delivery.owing import Books
from tests.sink import answers, sink

HERE = {"SKAN_PRIVATE_DESTINATIONS": "1"}


def test_a_destination_is_added_tried_paused_and_removed(run: Run) -> None:
    """As an operator sets up an MMP."""
    with sink(answers(202, b"thank you")) as open_:
        added = run("destinations", "add", "mmp", "--url", open_.url, **HERE)
        assert (added.status, added.out[:24]) == (0, "mmp: owed what arrives f")
        shown = run("destinations", "test", "mmp", **HERE)
        assert shown.status == 0
        assert open_.received == []
        sent = run("destinations", "test", "mmp", "--send", "--json", **HERE)
        assert sent.status == 0
        told = json.loads(sent.out)
        assert (told["sent"]["status"], told["sent"]["answer"]) == (202, "thank you")
        assert told["request"]["body"].encode() == open_.received[0].body
    (row,) = run("destinations", "list", "--json").lines
    assert (row["name"], row["state"], row["owed"]) == ("mmp", "active", 0)
    assert run("destinations", "pause", "mmp").status == 0
    assert run("destinations", "list", "--json").lines[0]["state"] == "paused"
    assert run("destinations", "resume", "mmp").status == 0
    assert "removed" in run("destinations", "remove", "mmp").out
    again = run("destinations", "remove", "mmp")
    assert (again.status, again.err) == (
        1, "skan-receiver: there is no destination 'mmp': see `destinations list`\n"
    )  # fmt: skip


def test_a_test_that_is_refused_ends_with_1(run: Run) -> None:
    """So that a script can tell."""
    with sink(answers(401, b"who are you?")) as open_:
        run("destinations", "add", "mmp", "--url", open_.url, **HERE)
        refused = run("destinations", "test", "mmp", "--send", **HERE)
    assert refused.status == 1
    assert "answered 401" in refused.out
    assert "who are you?" in refused.out


def test_a_secret_is_kept_and_never_shown(run: Run, tmp_path: Path, sqlite_url: str) -> None:
    """Not in lists, not in a test's output, not in the database."""
    with sink(answers(200, b"your key is s3cret-Key")) as open_:
        added = run(
            *("destinations", "add", "mmp", "--url", open_.url + "?key={secret:key}"), **HERE
        )
        assert "it needs: destinations secret set mmp key" in added.out
        unset = run("destinations", "test", "mmp", **HERE)
        assert (unset.status, unset.err) == (
            1, "skan-receiver: the secret 'key' is not set\n"
        )  # fmt: skip
        kept = run("destinations", "secret", "set", "mmp", "key", stdin="s3cret-Key\n", **HERE)
        assert kept.status == 0
        tried = run("destinations", "test", "mmp", "--send", **HERE)
        assert open_.received[0].path == "/in?key=s3cret-Key"
        told = [
            *(tried, run("destinations", "show", "mmp"), run("destinations", "export")),
            *(run("destinations", "secret", "list", "mmp"), run("destinations", "list")),
        ]
    assert not any("s3cret-Key" in one.out + one.err for one in told)
    assert "your key is •••" in tried.out
    for path in tmp_path.rglob("*.sqlite3*"):
        assert b"s3cret-Key" not in path.read_bytes()


def test_secrets_are_sealed_anew_with_another_key(run: Run) -> None:
    """The old key can go once that is done; without any that fits, it is told which to put back."""
    run("destinations", "add", "mmp", "--url", "https://mmp.example/?k={secret:k}")
    first = run("destinations", "secret", "new-key").out.strip()
    second = run("destinations", "secret", "new-key").out.strip()
    keep = ("destinations", "secret", "set", "mmp", "k")
    assert run(*keep, stdin="x", SKAN_SECRET_KEYS=first).status == 0
    lost = run("destinations", "test", "mmp", SKAN_SECRET_KEYS=second)
    assert lost.status == 2
    assert "SKAN_SECRET_KEYS: none of these keys" in lost.err
    both = f"{second},{first}"
    rotated = run("destinations", "secret", "rotate", SKAN_SECRET_KEYS=both)
    assert rotated.out == "1 secrets encrypted anew\n"
    assert run("destinations", "test", "mmp", SKAN_SECRET_KEYS=second).status == 0


def test_a_preset_asks_for_what_it_needs(run: Run) -> None:
    """By name; and its secret is kept as one."""
    lacking = run("destinations", "add", "hook", "--preset", "webhook")
    assert lacking.status == 2
    listed = run("destinations", "presets")
    assert "appsflyer:" in listed.out
    assert "unconfirmed by vendor" in listed.out


def test_what_must_not_be_saved_is_refused_with_its_reason(run: Run) -> None:
    """Unknown macro, identifier, internal address, credentials, CR and NUL."""
    for url, said in {
        "https://a.example/?c={campagn_id}": "did you mean `campaign_id`?",
        "https://a.example/?i={idfa}": "identifies a device",
        "https://169.254.169.254/": "which no destination may be",
        "http://10.0.0.5/": "SKAN_PRIVATE_DESTINATIONS=1 allows it",
        "http://localhost/": "SKAN_PRIVATE_DESTINATIONS=1 allows it",
        "https://me:pw@a.example/": "credentials in a URL",
        "https://a.example/a\rb": "no control characters",
        "https://{app_id}.example/": "the host is written out",
        "https://a.example/\\b": "backslash",
    }.items():
        refused = run("destinations", "add", "x", "--url", url)
        assert (refused.status, refused.err[:20]) == (2, "skan-receiver: url: "), url
        assert said in refused.err
    assert run("destinations", "list", "--json").lines == []


def test_yaml_goes_in_and_out(run: Run, tmp_path: Path) -> None:
    """What was exported is imported as it was; a dry run changes nothing."""
    text = (
        "destinations:\n- name: copy\n  kind: relay\n  url: https://a.example/in\n"
        "  apps: [525463029]\n  paused: true\n"
    )
    (tmp_path / "d.yaml").write_text(text)
    dry = run("destinations", "import", "d.yaml", "--dry-run")
    assert (dry.status, dry.out) == (0, "copy: new\n")
    assert run("destinations", "export").out == "destinations: []\n"
    assert run("destinations", "import", "d.yaml").out == "copy: new\n"
    assert run("destinations", "export").out == text
    assert run("destinations", "import", "d.yaml").out == "copy: as it was\n"
    (tmp_path / "d.yaml").write_text(text.replace("kind: relay", "kind: telepathy"))
    wrong = run("destinations", "import", "d.yaml")
    assert (wrong.status, wrong.err[:30]) == (2, "skan-receiver: d.yaml:3: kind:")


def test_a_vendors_template_is_translated(run: Run) -> None:
    """Names that identify somebody are told, and the exit status says that there are some."""
    good = run("destinations", "translate", "https://a.example/?cv=(skad_conversion_value)")
    assert (good.status, good.out) == (0, "https://a.example/?cv={fine_value}\n")
    bad = run("destinations", "translate", "https://a.example/?i=(idfa)", "--dialect", "appsflyer")
    assert bad.status == 1
    assert "identifies" in bad.err


def test_deliveries_are_listed_shown_and_replayed(run: Run, sqlite_url: str) -> None:
    """With a count before, where wanted."""
    books = Books(Store(sqlite_url))
    assert run("destinations", "add", "copy", "--url", "https://a.example/in").status == 0
    books.owe([], 3)
    books.store.close()
    rows = run("deliveries", "list", "--json").lines
    assert [row["state"] for row in rows] == ["owed"] * 3
    shown = run("deliveries", "show", str(rows[0]["id"]), "--json").lines[0]
    assert shown["name"].endswith("_copy")
    assert run("deliveries", "show", "999").status == 1
    none = run("deliveries", "replay", "--destination", "copy", "--dry-run")
    assert (none.status, none.out) == (0, "0 deliveries would be owed anew\n")
    assert "3 deliveries given up" in run("destinations", "remove", "copy").out
    gone = run("deliveries", "replay", "--destination", "copy", "--dry-run")
    assert (gone.status, "no destination 'copy'" in gone.err) == (1, True)
    assert run("destinations", "add", "copy", "--url", "https://a.example/in").status == 0
    narrowed = ("--missed", "--since", "2026-01-01", "--until", "2026-02-01", "--app", "1")
    refused = run("deliveries", "replay", "--destination", "copy", *narrowed)
    assert (refused.status, "leave out app_id" in refused.err) == (2, True)
    dead = run("deliveries", "replay", "--destination", "copy", "--dry-run")
    assert dead.out == "3 deliveries would be owed anew\n"
    assert (
        run("deliveries", "replay", "--destination", "copy").out == "3 deliveries are owed anew\n"
    )
    assert run("deliveries", "replay").status == 2
