"""`skan-receiver events …`."""

import csv
import json
from pathlib import Path
from urllib.parse import urlsplit

from skan_receiver.testing import Signer
from tests.cli.conftest import Run
from tests.mmp.told import IDFA, appsflyer


def test_an_mmp_is_connected_its_exports_imported_and_looked_at(run: Run, tmp_path: Path) -> None:
    """The addresses once, with the token; then no token, and nobody's identifier unasked."""
    public = {"SKAN_PUBLIC_URL": "https://skan.example"}
    connected = run("events", "connect", "adjust", "--name", "adj", "--json", **public)
    assert connected.status == 0, connected.err
    assert {one["connection"] for one in connected.lines} == {"adj"}
    install = urlsplit(connected.lines[0]["url"])
    assert (install.hostname, install.path.split("/")[1:3]) == ("skan.example", ["mmp", "adjust"])
    assert "idfa={idfa}" in install.query
    token = install.path.rsplit("/", 1)[1]

    again = run("events", "connect", "adjust", "--name", "adj")
    assert (again.status, "`events disconnect adj` ends it" in again.err) == (1, True)
    listed = run("events", "connections", "--json")
    assert [one["name"] for one in listed.lines] == ["adj"]
    assert token not in listed.out

    rows = [appsflyer(), appsflyer(event_name="install"), appsflyer(event_time="soon")]
    export = tmp_path / "export.csv"
    with export.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    first = run("events", "import", "appsflyer", str(export), "--json")
    assert first.status == 1
    assert first.lines == [
        {"outcome": "stored", "events": 2},
        {"outcome": "unreadable", "events": 1},
    ]
    assert first.err == "3: event_time: not a time: seconds, milliseconds or ISO 8601\n"

    found = run("events", "list", "--json", "--identifier", IDFA, "--kind", "install")
    assert [one["name"] for one in found.lines] == ["install"]
    assert IDFA not in found.out
    number = str(found.lines[0]["id"])
    shown = run("events", "show", number)
    assert f"idfa: {IDFA[:4]}…" in shown.out
    assert run("events", "show", number, "--identifiers", "--json").lines[0]["idfa"] == IDFA
    assert run("events", "show", "99").status == 1

    assert run("events", "disconnect", "adj").status == 0
    assert run("events", "disconnect", "adj").status == 1


def test_rows_of_apples_postbacks_in_an_export_are_verified(run: Run, tmp_path: Path) -> None:
    """They are postbacks as any other, and found by Apple's id."""
    signer = Signer(seed=4)
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(signer.production_keys()))
    bodies = [signer.skadnetwork("4.0"), {**signer.skadnetwork("4.0"), "attribution-signature": ""}]
    export = tmp_path / "skan.ndjson"
    export.write_text(
        "\n".join(
            json.dumps({f"skad_{name.replace('-', '_')}": value for name, value in body.items()})
            for body in bodies
        )
    )
    assert run("events", "import", "appsflyer", str(export), SKAN_KEYS=str(keys)).status == 0
    found = run("postbacks", "list", "--json")
    assert {one["postback_id"]: one["verdict"] for one in found.lines} == {
        bodies[0]["transaction-id"]: "valid",
        bodies[1]["transaction-id"]: "unverifiable",
    }
