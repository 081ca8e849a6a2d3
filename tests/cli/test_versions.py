"""Versions in time, as commands, pages and reports tell them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.conversion.schemas import rules, text
from tests.web.site import Site
from tests.web.test_pages import words

CHANGED = datetime(2020, 3, 10, tzinfo=UTC)
PURCHASE = text(rules("value: 20, when: [{event: purchase, revenue: {at_least: 5}}]", "value: 0"))
SESSION = text(rules("value: 20, when: [{event: session}]", "value: 0"))
MONTH = ("--from", "2020-03-01", "--to", "2020-03-31")


@pytest.fixture
def changed(store_url: str, tmp_path: Path, run: Run) -> Iterator[Site]:
    """A schema that changed on a known date, and postbacks before, across and after."""
    for name, schema in (("old.yaml", PURCHASE), ("new.yaml", SESSION)):
        (tmp_path / name).write_text(schema)
    site = Site(store_url, tmp_path, schemas=tmp_path / "none")
    assert run("schemas", "publish", "old.yaml", DATABASE_URL=store_url).status == 0
    for hours in (12, 60, 120):
        site.receiver.now = CHANGED + timedelta(hours=hours)
        site.receiver.receive(site.signer.skadnetwork("4.0", app_id=42, conversion_value=20))
    site.receiver.settle()
    yield site
    site.close()


def redecode(run: Run, url: str, *more: str) -> str:
    done = run("redecode", "new.yaml", "--effective-from", "2020-03-10", *more, DATABASE_URL=url)
    assert done.status == 0, done.err
    return done.out + done.err


def test_before_across_and_after_a_change_all_tell_the_same(
    changed: Site, run: Run, store_url: str
) -> None:
    """Certain, weighted, certain: in the command, on the story page, in the API and in reports.

    A value of SKAdNetwork 4 that arrives in an hour was set 24 to 96 hours before: 73 in all.
    """
    redecode(run, store_url)
    changed.sign_in()
    key = changed.key("read")
    weights = [{1: 1.0}, {1: 36 / 73, 2: 37 / 73}, {2: 1.0}]
    means = {1: "purchase at least once", 2: "session at least once"}

    for number, expected in enumerate(weights, start=1):
        (shown,) = run("postbacks", "show", str(number), "--json", DATABASE_URL=store_url).lines
        told = {one["version"]: one["weight"] for one in shown["meanings"]}
        assert told == pytest.approx(expected, abs=1e-4)
        page = words(changed, f"/postbacks/{number}")
        prose = run("postbacks", "show", str(number), DATABASE_URL=store_url).out
        for version, weight in expected.items():
            assert means[version] in page
            assert (f"{weight:.0%} by version {version}" in page) == (weight < 1)
            assert (
                f"{'certain' if weight == 1 else f'{weight:.0%}'} by version {version}: " in prose
            )
        answer = changed.client.get(f"/api/v1/postbacks/{number}", headers=key).get_json()
        assert {one["version"]: one["weight"] for one in answer["meanings"]} == told

    arguments = ("report", "events", *MONTH, "--by", "hour", "--app", "42", "--json")
    rows = run(*arguments, DATABASE_URL=store_url).lines
    assert [
        (row["hour"][5:13], row["name"], round(row["postbacks"], 4), row["certain"])
        for row in rows
        if row["what"] == "event"
    ] == [
        ("03-10T12", "purchase", 1.0, 1),
        ("03-12T12", "purchase", 0.4932, 0),
        ("03-12T12", "session", 0.5068, 0),
        ("03-15T00", "session", 1.0, 1),
    ]
    (before, across) = [row for row in rows if row["what"] == "event revenue"]
    assert (before["least"], before["most"], before["currency"]) == (5.0, None, "USD")
    assert across["least"] == pytest.approx(5 * 36 / 73)


def test_redecode_says_what_changes_and_touches_no_postback(
    changed: Site, run: Run, store_url: str
) -> None:
    """In words and counts; a dry run writes nothing."""
    before = changed.receiver.hours()
    tried = redecode(run, store_url, "--dry-run")

    assert "2 of 3 postbacks change meaning, 2 of 3 counted cells" in tried
    assert "purchase at least once, purchase worth from 5.00 USD" in tried
    assert len(run("schemas", "list", "--json", DATABASE_URL=store_url).lines) == 1
    assert "version 2 of app 42, from 2020-03-10 00:00 UTC on" in redecode(run, store_url)
    assert changed.receiver.hours() == before
    assert "0 of 3 postbacks change meaning" in redecode(run, store_url)


def test_a_correction_takes_the_place_of_what_was_wrong(
    changed: Site, run: Run, store_url: str
) -> None:
    """With its dates: everything version 1 said is said anew, and nothing else."""
    redecode(run, store_url)
    done = run("redecode", "new.yaml", "--corrects", "1", DATABASE_URL=store_url)

    assert "2 of 3 postbacks change meaning" in done.err
    assert "version 3 of app 42, from the beginning" in done.out
    rows = run("schemas", "list", "--json", DATABASE_URL=store_url).lines
    assert [row["state"] for row in rows] == ["corrected", "in force", "past"]
    assert rows[2]["note"] == "corrects version 1"
    both = run(
        *("redecode", "new.yaml", "--corrects", "1", "--rollout", "2d"), DATABASE_URL=store_url
    )
    assert both.status == 2


def test_publishing_in_the_past_is_refused_with_the_remedy(
    changed: Site, run: Run, store_url: str
) -> None:
    """Reports change only when somebody means it."""
    done = run(
        *("schemas", "publish", "new.yaml", "--effective-from", "2020-03-10"),
        DATABASE_URL=store_url,
    )
    assert (done.status, "`redecode`" in done.err) == (1, True)


def test_a_mirror_says_that_it_changes_no_device(run: Run, tmp_path: Path) -> None:
    """An MMP's SDK sets what the MMP's schema says."""
    (tmp_path / "own.yaml").write_text(PURCHASE)
    (tmp_path / "mirror.yaml").write_text(SESSION.replace("app: 42", "app: 42\nencoder: adjust"))

    assert "mirror" not in run("schemas", "publish", "own.yaml").out
    published = run("schemas", "publish", "mirror.yaml", "--rollout", "2d", "--author", "ann")
    assert "It mirrors what adjust sets on the phone, and changes no device" in published.out
    assert "on every device 48 hours later" in published.out
    assert "says so already" in run("schemas", "publish", "mirror.yaml").out
    assert run("schemas", "publish", "mirror.yaml", "--rollout", "2y").status == 2


def test_a_file_with_mistakes_publishes_nothing(run: Run, tmp_path: Path) -> None:
    """File, line and field, as `schemas check` has them."""
    (tmp_path / "bad.yaml").write_text(PURCHASE.replace("event: purchase", "event: purchas"))

    done = run("schemas", "publish", "bad.yaml")

    assert done.status == 1
    assert "bad.yaml:16: " in done.err
    assert run("schemas", "list", "--json").lines == []


def test_versions_and_files_are_compared_in_words(run: Run, tmp_path: Path) -> None:
    """Grouped by window; a script sees the exit status."""
    (tmp_path / "old.yaml").write_text(PURCHASE)
    (tmp_path / "new.yaml").write_text(SESSION)
    run("schemas", "publish", "old.yaml")

    done = run("schemas", "diff", "42@1", "new.yaml")

    assert done.status == 1
    assert done.out.splitlines()[0] == "install, window 0"
    assert "  20: purchase at least once" in done.out
    assert run("schemas", "diff", "42@1", "old.yaml").status == 0
    (line, *_) = run("schemas", "diff", "old.yaml", "new.yaml", "--json").lines
    assert (line["window"], line["conversion"]) == (0, "install")
    assert "app 42 has no version 7" in run("schemas", "diff", "42@7", "new.yaml").err


def test_a_roll_back_is_told_as_a_new_version(run: Run, tmp_path: Path) -> None:
    """And what is to take over from it."""
    for name, schema in (("old.yaml", PURCHASE), ("new.yaml", SESSION)):
        (tmp_path / name).write_text(schema)
    run("schemas", "publish", "old.yaml")
    run("schemas", "publish", "new.yaml", "--effective-from", "2090-01-01")

    # To say again what stands is news here: something else is scheduled.
    done = run("schemas", "rollback", "42", "1")

    assert "version 3 of app 42" in done.out
    assert "Version 2 is to take over, from 2090-01-01 00:00 UTC on." in done.out
    rows = run("schemas", "list", "--json").lines
    assert [row["state"] for row in rows] == ["past", "to come", "in force"]


def test_the_folder_is_imported_by_command(run: Run, tmp_path: Path) -> None:
    """Files left alone are named, and make the status 1."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "good.yaml").write_text(PURCHASE)
    assert "version 1 of app 42" in run("schemas", "import", "folder").out
    (tmp_path / "folder" / "bad.yaml").write_text("app: [")
    again = run("schemas", "import", SKAN_SCHEMAS="folder")
    assert (again.status, again.out) == (1, "")
    assert "bad.yaml" in again.err
