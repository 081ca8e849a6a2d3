"""The truth fits what was sent, to the last id."""

import base64
import json
from collections import Counter
from pathlib import Path
from typing import Any

from pyarrow import parquet

from skan_receiver.conversion import User, UserEvent, encode, load_schema
from skan_receiver.protocol import parse
from skan_receiver.simulator.keys import make_keys
from skan_receiver.simulator.run import Run
from skan_receiver.simulator.truth import TABLES, prepare
from tests.simulator.worlds import ROOT, world


def told(folder: Path, name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = parquet.read_table(folder / name).to_pylist()
    return rows


def run(tmp_path: Path, truth: Path) -> Run:
    prepare(truth)
    apple = {"duplicates": 0.1, "losers": {"1": 0.2}}
    rivals: tuple[dict[str, Any], ...] = ({"daily": 50}, {"network": "two.skadnetwork", "daily": 9})
    return Run(world(*rivals, apple=apple), make_keys(tmp_path / "keys"), truth, processes=2)


def test_every_postback_is_in_the_truth_as_often_as_it_came(tmp_path: Path) -> None:
    """By id, with window, values and the time it was sent."""
    lines = b"".join(run(tmp_path, tmp_path / "truth").envelopes()).splitlines()
    arrived = Counter(parse(base64.b64decode(json.loads(line)["body"])) for line in lines)
    rows = {row["id"]: row for row in told(tmp_path / "truth", "postbacks")}
    assert {postback.id for postback in arrived} == rows.keys()
    for postback, times in arrived.items():
        row = rows[postback.id]
        assert row["arrivals"] == times
        for name in ("window", "did_win", "fine_value", "coarse_value", "app_id", "version"):
            assert getattr(postback, name) == row[name], name
        assert row["source_identifier"].endswith(postback.source_identifier or "")


def test_values_are_what_the_events_encode_to(tmp_path: Path) -> None:
    """Replayed one user at a time, from the truth alone."""
    truth = tmp_path / "truth"
    run(tmp_path, truth).only_truth()
    schema = load_schema(ROOT / "conversion_schemas" / "525463029.yaml")
    lives: dict[int, list[UserEvent]] = {}
    for row in told(truth, "events"):
        event = UserEvent(row["name"], row["hours"], row["revenue"])
        lives.setdefault(row["install"], []).append(event)
    values = {(row["install"], row["window"]): row for row in told(truth, "values")}
    for install in told(truth, "installs"):
        user = User(tuple(lives.get(install["install"], ())))
        for held in encode(user, schema, version=install["version"] or "4.0"):
            row = values.get((install["install"], held.window), {})
            assert (held.fine, held.coarse) == (row.get("fine_value"), row.get("coarse_value"))


def test_the_truth_alone_is_the_same_truth(tmp_path: Path) -> None:
    """It follows from scenario and seed, with or without a run."""
    with_run, alone = tmp_path / "a", tmp_path / "b"
    b"".join(run(tmp_path, with_run).envelopes())
    run(tmp_path, alone).only_truth()
    for name in TABLES:
        for path in sorted((alone / name).iterdir()):
            assert (with_run / name / path.name).read_bytes() == path.read_bytes()
