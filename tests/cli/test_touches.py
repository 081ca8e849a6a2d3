"""`skan-receiver touches …` and `events attribution`."""

from datetime import UTC, datetime
from pathlib import Path

from skan_receiver.config import Settings
from skan_receiver.web import create_app
from tests.cli.conftest import Run

GAME = "com.example.game"


def test_a_network_is_connected_tells_and_wins(run: Run, sqlite_url: str, tmp_path: Path) -> None:
    """Its tokens are shown once; why an install is its own can be asked."""
    public = {"SKAN_PUBLIC_URL": "https://skan.example/"}
    made = run("touches", "connect", "Acme_int", "--app", "525463029", "--app", GAME, "--json",
               **public)  # fmt: skip
    assert made.status == 0, made.err
    (said,) = made.lines
    assert (said["network"], said["post"]) == ("acme-int", "https://skan.example/touch")
    link = said["links"][GAME]
    assert link.startswith("https://skan.example/touch/")
    listed = run("touches", "networks")
    assert said["token"] not in listed.out
    assert f"525463029, {GAME}" in listed.out

    app = create_app(Settings(database_url=sqlite_url, var=tmp_path, secret_key="test"))
    with app.test_client() as client:
        page = client.get(link.removeprefix("https://skan.example"))
        headers = {"Authorization": f"Bearer {key(run)}"}
        referrer = page.headers["Location"].rsplit("=", 1)[1].replace("%3D", "=")
        install = {
            "event_id": "i-1",
            "kind": "install",
            "at": datetime.now(UTC).isoformat(),
            "bundle_id": GAME,
            "platform": "android",
            "gdpr_applies": False,
            "install_referrer": referrer,
        }
        told = client.post("/api/v1/events", json={"events": [install]}, headers=headers)
        assert told.status_code == 200, told.text
    app.extensions["skan"].store.close()

    why = run("events", "attribution", "1")
    assert why.out.startswith("Acme_int: the last click within 7 days, by click_id\n    id: 1\n")
    assert run("events", "attribution", "1", "--json").lines[0]["media_source"] == "Acme_int"
    unknown = run("events", "attribution", "7")
    assert (unknown.status, "there is no event 7" in unknown.err) == (1, True)


def key(run: Run) -> str:
    made = run("keys", "create", "app", "--scope", "events")
    assert made.status == 0, made.err
    return next(word for word in made.out.split() if word.startswith("skan_"))


def test_the_apps_of_a_network_change_and_it_ends(run: Run) -> None:
    """Its links stay the same meanwhile."""
    assert run("touches", "connect", "acme", "--app", "7").status == 0
    assert run("touches", "apps", "acme", "7", GAME).out == f"acme advertises 7, {GAME}\n"
    assert run("touches", "networks", "--json").lines[0]["apps"] == ["7", GAME]
    for wrong in (
        ["apps", "other", "7"],
        ["disconnect", "other"],
        ["connect", "acme", "--app", "7"],
    ):
        assert run("touches", *wrong).status == 1
    assert run("touches", "connect", "net", "--app", "https://a.example").status == 2
    assert run("touches", "disconnect", "acme").status == 0
    assert run("touches", "networks", "--json").lines == []
