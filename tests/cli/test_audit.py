"""`audit`: what commands change is written down, whatever the command."""

from tests.cli.conftest import Run


def test_what_a_command_changes_is_in_the_log(run: Run) -> None:
    """With who ran it and on what; looking is not, nor is what was refused."""
    run("users", "add", "ana", "--role", "viewer", "--app", "42")
    assert run("users", "add", "ana").status == 1
    run("users", "list")
    run("apps", "add", "42", "--name", "Ours")
    run("keys", "create", "grafana")
    told = [(row["action"], row["subject"]) for row in run("audit", "list", "--json").lines]
    assert told == [("keys create", "grafana"), ("apps add", "42"), ("users add", "ana")]
    assert run("audit", "list", "--json").lines[0]["actor"].startswith("command ")


def test_the_log_is_whole(run: Run) -> None:
    """It says so, with a hash to keep."""
    run("apps", "add", "42")
    whole = run("audit", "verify", "--json")
    assert (whole.lines[0]["entries"], whole.lines[0]["broken_at"]) == (1, None)
    assert len(whole.lines[0]["last_hash"]) == 64


def test_a_command_has_its_own_name_however_the_program_is_called(run: Run) -> None:
    """As a module too: what comes from Apple stays nobody's deed."""
    run("keys", "create", "grafana", apart=True)
    run("ingest", "-", stdin="", apart=True)
    told = [(row["action"], row["subject"]) for row in run("audit", "list", "--json").lines]
    assert told == [("keys create", "grafana")]
