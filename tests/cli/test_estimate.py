"""`estimate`: what it prints, and what it keeps."""

from datetime import UTC, datetime

import pytest

from skan_receiver.storage import Store
from skan_receiver.storage.schemas import Publication, publish
from tests.cli.conftest import Run
from tests.estimating.stored import SCHEMA
from tests.receiving import NOON, Receiver


@pytest.mark.slow
def test_it_prints_what_it_keeps_and_tries_what_it_does_not(run: Run, sqlite_url: str) -> None:
    """With another sensitivity, the reports stay as they are."""
    receiver = Receiver(Store(sqlite_url))
    receiver.now = datetime.now(UTC)
    publish(receiver.store, Publication(SCHEMA), NOON)
    receiver.receive(*(receiver.signer.skadnetwork("4.0", app_id=42) for _ in "12345"))
    receiver.settle()
    receiver.store.close()

    tried = run("estimate", "--sensitivity", "0.7", "--json").lines
    (before,) = run("report", "revenue", "--by", "window", "--json").lines
    made = run("estimate", "--json").lines
    (after,) = run("report", "revenue", "--by", "window", "--json").lines

    assert [row["what"] for row in (*tried, *made)] == ["revenue", "installs"] * 2
    assert before["estimate"] is None
    assert (after["estimate"], after["sensitivity"]) == (made[0]["estimate"], 0.0)
    assert run("estimate", "--json").lines == []
    assert run("estimate", "--days", "3").status == 2
