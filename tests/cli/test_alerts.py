"""`alerts`: what is not well, and who is told, at a shell."""

from pathlib import Path

from tests.alerting.mailing import mail_server
from tests.cli.conftest import Run


def test_what_is_not_well_is_found_and_listed(run: Run, tmp_path: Path) -> None:
    """The exit status says whether there is anything; a look is nobody's deed."""
    assert run("alerts", "check").status == 0
    assert run("alerts", "list", "--json").status == 0
    keys = {"SKAN_TEST_KEYS": str(tmp_path / "keys.json")}
    checked = run("alerts", "check", "--json", **keys)
    assert (checked.status, checked.lines[0]["rule"]) == (1, "test_keys")
    listed = run("alerts", "list", "--json")
    assert (listed.status, listed.lines[0]["subject"]) == (1, "SKAN_TEST_KEYS")
    assert run("alerts", "list", "--past", "--json").lines == []
    assert run("audit", "list", "--json").lines == []


def test_a_rule_is_set(run: Run) -> None:
    """What makes no sense is refused, with what would."""
    assert run("alerts", "set", "null_rate", "--limit", "points=20").status == 0
    assert run("alerts", "set", "caps", "--off").status == 0
    rules = {row["name"]: row for row in run("alerts", "rules", "--json").lines}
    assert rules["null_rate"]["limits"] == {"points": 20, "postbacks": 100}
    assert rules["caps"]["is_off"]
    assert "points=20 postbacks=100" in run("alerts", "rules").out
    assert "from 1 to 100" in run("alerts", "set", "null_rate", "--limit", "points=0").err
    assert run("alerts", "set", "null_rate", "--limit", "many").status == 2


def test_a_channel_is_put_tried_and_removed(run: Run) -> None:
    """Its address is asked for where it may hold a token, and never printed."""
    with mail_server() as mails:
        mail = {"SKAN_SMTP_URL": mails.url}
        put = run("alerts", "channels", "put", "mail", "--kind", "email", "--to", "ana@example.com")
        assert "leads to ana@example.com" in put.out
        assert run("alerts", "channels", "test", "mail", **mail).out == "mail took a test\n"
        assert "Subject: [skan-receiver] Test: alerts (mail)" in mails.said[0]
    url = "https://8.8.8.8/services/T0/B0/token"
    words = ("alerts", "channels", "put", "chat", "--kind", "slack", "--url")
    put = run(*words, stdin=f"{url}\n")
    assert "chat leads to 8.8.8.8" in put.out
    listed = run("alerts", "channels", "list", "--json")
    assert [row["where"] for row in listed.lines] == ["8.8.8.8", "ana@example.com"]
    assert "token" not in listed.out
    assert run("alerts", "channels", "remove", "chat").status == 0
    assert run("alerts", "channels", "remove", "chat").status == 1
