"""`skan-receiver events erase`."""

import json
from datetime import UTC, datetime
from pathlib import Path

from tests.cli.conftest import Run
from tests.mmp.told import IDFA, IDFV, appsflyer


def test_a_person_is_erased_and_what_is_told_again_is_dropped(run: Run, tmp_path: Path) -> None:
    """It says what it follows, asks, and names nobody."""
    export = tmp_path / "events.json"
    export.write_text(json.dumps([appsflyer(), appsflyer(idfa=None, event_name="later")]))
    assert run("events", "import", "appsflyer", "events.json").status == 0
    refused = run("events", "erase", "--device-id", IDFA, stdin="n\n")
    assert refused.status == 1
    assert f"followed once: idfv {IDFV[:4]}…" in refused.out
    assert len(run("events", "list", "--json").lines) == 2
    (done,) = run("events", "erase", "--device-id", "-", "--yes", "--json", stdin=f"{IDFA}\n").lines
    assert (done["erased"], done["scrubbed"]) == ({"events": 2}, True)
    assert IDFV not in json.dumps(done) + refused.out
    assert run("events", "list", "--json").lines == []
    again = run("events", "import", "appsflyer", "events.json", "--json")
    assert again.lines == [{"outcome": "dropped", "events": 2}]
    new = appsflyer(event_time=f"{datetime.now(UTC).replace(tzinfo=None, year=2099)}")
    export.write_text(json.dumps([new]))
    assert run("events", "import", "appsflyer", "events.json", "--json").lines == [
        {"outcome": "stored", "events": 1}
    ]


def test_one_identifier_is_said(run: Run) -> None:
    """None, two or an empty one are mistakes, each with a remedy."""
    for said in ([], ["--idfa", "a", "--gaid", "b"]):
        wrong = run("events", "erase", *said)
        assert (wrong.status, "say one identifier" in wrong.err) == (2, True)
    empty = run("events", "erase", "--customer-user-id", " ")
    assert (empty.status, "--customer-user-id: is empty" in empty.err) == (2, True)
