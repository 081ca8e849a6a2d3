"""Settings: what the environment says, and what it may not say."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from skan_receiver.config import Settings, load
from skan_receiver.errors import ConfigurationError


def test_bare_and_prefixed_names_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """DATABASE_URL and PORT as every platform sets them; postgres:// as they print it."""
    monkeypatch.setenv("DATABASE_URL", "postgres://me@host/skan")
    monkeypatch.setenv("PORT", "9000")
    monkeypatch.setenv("SKAN_RECEIVE_PATHS", "/skan, /postback ,")
    settings = load()
    assert settings.database == "postgresql+psycopg://me@host/skan"
    assert settings.port == 9000
    assert settings.receive_paths == ("/skan", "/postback")


def test_an_empty_setting_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a compose file writes what is not set."""
    for name in ("DATABASE_URL", "PORT", "SKAN_KEYS", "SKAN_RECEIVE_PATHS"):
        monkeypatch.setenv(name, "")
    settings = load()
    assert (settings.keys, settings.port, settings.receive_paths) == (None, 8000, ())


def test_every_wrong_setting_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody fixes them one restart at a time."""
    monkeypatch.setenv("PORT", "eighty")
    monkeypatch.setenv("SKAN_RECEIVE_PATHS", "skan")
    with pytest.raises(ConfigurationError) as caught:
        load()
    assert "PORT" in str(caught.value)
    assert "SKAN_RECEIVE_PATHS" in str(caught.value)


def test_the_secret_is_made_once_and_for_its_owner(tmp_path: Path) -> None:
    """However many processes start together, sessions are signed with one key."""
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: Settings(var=tmp_path / "var").secret, range(16)))
    (path,) = (tmp_path / "var").iterdir()
    assert len(made) == 1
    assert len(made.pop()) == 64
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_given_secret_is_used(tmp_path: Path) -> None:
    """Several machines share it by SECRET_KEY."""
    settings = Settings(var=tmp_path, secret_key="theirs")
    assert settings.secret == "theirs"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"oidc_issuer": "http://login.example", "oidc_client_id": "x"}, "https"),
        ({"oidc_issuer": "login.example", "oidc_client_id": "x"}, "https"),
        ({"oidc_issuer": "https://login.example"}, "SKAN_OIDC_CLIENT_ID"),
        ({"oidc_only": True}, "the only way in"),
        ({"oidc_role": "admin"}, "SKAN_OIDC_ROLE"),
        ({"security_contact": "ring me"}, "security@example.com"),
    ],
)
def test_a_way_in_that_cannot_work_stops_the_start(wrong: dict[str, object], said: str) -> None:
    """Nobody finds out at the login."""
    with pytest.raises(ConfigurationError, match=said):
        load(**wrong)
