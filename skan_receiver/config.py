"""Settings, from the environment. Nobody else reads os.environ.

Names everybody knows stand bare (`DATABASE_URL`, `PORT`, `WEB_CONCURRENCY`, `SECRET_KEY`);
everything else is prefixed `SKAN_`. The table of docs/settings.md is this file in prose.
"""

import os
import secrets
import tempfile
from base64 import urlsafe_b64encode
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from skan_receiver.errors import ConfigurationError

# Split on commas, so that a shell can write the list: SKAN_RECEIVE_PATHS=/a,/b
Words = Annotated[tuple[str, ...], NoDecode]


def bare(name: str) -> AliasChoices:
    """A setting known to the world under `name`; SKAN_<name> is accepted too."""
    return AliasChoices(name, f"SKAN_{name}")


class Settings(BaseSettings):
    """Frozen: a process has one set of settings from start to end."""

    model_config = SettingsConfigDict(
        env_prefix="SKAN_",
        env_file=".env",
        env_ignore_empty=True,  # SKAN_KEYS= in a compose file means: none
        extra="ignore",
        frozen=True,
        populate_by_name=True,
    )

    # Where things are.
    var: Path = Path("var")
    analytics_export: Path = Path("var/analytics")
    database_url: str = Field("", validation_alias=bare("DATABASE_URL"))
    schemas: Path = Path("conversion_schemas")

    # The server.
    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535, validation_alias=bare("PORT"))
    public_url: str = ""
    web_concurrency: int = Field(2, ge=1, validation_alias=bare("WEB_CONCURRENCY"))
    threads: int = Field(32, ge=1)
    trusted_proxies: int = Field(0, ge=0)
    secret_key: str = Field("", validation_alias=bare("SECRET_KEY"), repr=False)
    log_level: str = "INFO"

    # What comes in.
    receive_paths: Words = ()
    forwarder_tokens: Path | None = None
    store_ip: bool = False

    # Who signs in by a provider of OpenID Connect, and as what.
    oidc_issuer: str = ""
    oidc_client_id: str = Field("", validate_default=True)
    oidc_client_secret: str = Field("", repr=False)
    oidc_name: str = "single sign-on"
    oidc_role: Literal["", "viewer", "editor"] = ""
    oidc_domains: Words = ()
    oidc_trust_email: bool = False
    oidc_only: bool = False

    # Whom to tell of a weakness: an address, or a page.
    security_contact: str = ""

    # Whose signature is believed.
    keys: Path | None = None
    test_keys: Path | None = None
    sandbox: bool = False

    # What is kept of bodies that nobody vouches for. At a cap: answered 200, counted, dropped.
    invalid_rows: int = 100_000
    invalid_bytes: int = 256 * 1024 * 1024
    quarantine_rows: int = 20_000
    quarantine_bytes: int = 64 * 1024 * 1024
    # Of what MMPs tell, with a token; at these it is answered 500, so that they tell it again.
    mmp_quarantine_rows: int = 20_000
    mmp_quarantine_bytes: int = 64 * 1024 * 1024
    invalid_days: int = 90
    quarantine_days: int = 30

    # Who sends: the worker, or Celery's workers, told through a broker. It may hold a password.
    engine: Literal["embedded", "celery"] = "embedded"
    broker_url: str = Field("", repr=False, validate_default=True)

    # Who reads the export: DuckDB, or an engine by its URL. It may hold a password.
    analytics_url: str = Field("", repr=False)

    # Estimates: how often (0: never), of how many days, and what is assumed of withheld values.
    estimate_hours: float = Field(1.0, ge=0, le=24 * 365)
    estimate_days: int = Field(60, ge=7, le=400)
    estimate_sensitivity: float = Field(0.0, ge=-3, le=3)
    estimate_doubt: float = Field(0.0, ge=0, le=3)

    # Installs of one's own: how long before one a touch counts, and how long touches are kept.
    click_days: float = Field(7.0, gt=0, le=90)
    view_days: float = Field(1.0, ge=0, le=30)
    touch_days: int = Field(30, ge=1, le=400, validate_default=True)

    # How long users' events are kept: who it was, the event, and the hash of who was erased.
    person_days: int = Field(90, ge=1)
    event_days: int = Field(730, ge=1, validate_default=True)
    tombstone_days: int = Field(1095, ge=1, validate_default=True)

    # What goes out.
    private_destinations: bool = False
    secret_keys: Words = Field((), repr=False)
    relay_ip: bool = False
    exports: Path = Path("var/exports")
    file_protocols: Words = ()
    https_proxy: str = Field(
        "", validation_alias=AliasChoices("HTTPS_PROXY", "https_proxy"), repr=False
    )
    # A request's own header becomes HTTP_PROXY in CGI, so the small letters only: CVE-2016-5385.
    http_proxy: str = Field("", validation_alias="http_proxy", repr=False)
    no_proxy: Words = Field((), validation_alias=AliasChoices("NO_PROXY", "no_proxy"))

    # Alerts by e-mail: the server, with its password, and who writes.
    smtp_url: str = Field("", repr=False)
    smtp_from: str = ""

    @field_validator(
        *("receive_paths", "oidc_domains", "secret_keys", "file_protocols", "no_proxy"),
        mode="before",
    )
    @classmethod
    def _split(cls, value: object) -> object:
        return (
            tuple(filter(None, map(str.strip, value.split(","))))
            if isinstance(value, str)
            else value
        )

    @field_validator("receive_paths")
    @classmethod
    def _absolute(cls, paths: tuple[str, ...]) -> tuple[str, ...]:
        for path in paths:
            if not path.startswith("/"):
                raise ValueError(f"{path!r} must begin with '/', as in /skadnetwork/postback")
        return paths

    @field_validator("oidc_issuer")
    @classmethod
    def _a_provider_is_asked_over_tls(cls, url: str) -> str:
        parts = urlsplit(url)
        at_home = parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1")
        if url and not (parts.hostname and (parts.scheme == "https" or at_home)):
            raise ValueError("must be an address with https, as in https://accounts.google.com")
        return url

    @field_validator("oidc_client_id")
    @classmethod
    def _a_provider_knows_us(cls, name: str, info: ValidationInfo) -> str:
        if not name and info.data.get("oidc_issuer"):
            raise ValueError("must be set where SKAN_OIDC_ISSUER is: the provider gives one")
        return name

    @field_validator("oidc_only")
    @classmethod
    def _some_way_in_is_left(cls, only: bool, info: ValidationInfo) -> bool:  # noqa: FBT001  # pydantic calls it
        if only and not info.data.get("oidc_issuer"):
            raise ValueError("closes the only way in: set SKAN_OIDC_ISSUER too")
        return only

    @field_validator("security_contact")
    @classmethod
    def _can_be_reached(cls, contact: str) -> str:
        """`security@example.com` as RFC 9116 writes it."""
        contact = f"mailto:{contact}" if "@" in contact and ":" not in contact else contact
        if contact and not (contact.startswith(("mailto:", "https://")) and contact.isprintable()):
            raise ValueError("must be as in security@example.com or https://example.com/security")
        return contact

    @field_validator("touch_days")
    @classmethod
    def _touches_are_kept_while_they_count(cls, days: int, info: ValidationInfo) -> int:
        if days < (least := max(info.data.get("click_days", 0), info.data.get("view_days", 0))):
            raise ValueError(f"must be {least:g} at least: touches count that long")
        return days

    @field_validator("event_days")
    @classmethod
    def _an_event_outlives_its_person(cls, days: int, info: ValidationInfo) -> int:
        if days < (least := info.data.get("person_days", 0)):
            raise ValueError(f"must be {least} at least: SKAN_PERSON_DAYS are a part of them")
        return days

    @field_validator("tombstone_days")
    @classmethod
    def _a_tombstone_outlives_the_event(cls, days: int, info: ValidationInfo) -> int:
        if days < (least := info.data.get("event_days", 0)):
            raise ValueError(f"must be {least} at least, as SKAN_EVENT_DAYS: what is that old may "
                             "be told again")  # fmt: skip
        return days

    @field_validator("broker_url")
    @classmethod
    def _celery_has_a_broker(cls, url: str, info: ValidationInfo) -> str:
        if not url and info.data.get("engine") == "celery":
            raise ValueError("must be set where SKAN_ENGINE=celery, as in redis://127.0.0.1:6379/0")
        return url

    @field_validator("smtp_url")
    @classmethod
    def _mail_has_a_server(cls, url: str) -> str:
        try:
            parts = urlsplit(url)
            good = parts.scheme in ("smtp", "smtps") and parts.hostname and parts.port != 0
        except ValueError:  # a port that is none
            good = False
        if url and not good:
            raise ValueError("must be as in smtp://user:password@mail.example:587, or smtps://…")
        return url

    @field_validator("database_url")
    @classmethod
    def _psycopg(cls, url: str) -> str:
        """Accept `postgres://`, which every hosting provider prints and SQLAlchemy refuses."""
        scheme, separator, rest = url.partition("://")
        return f"postgresql+psycopg://{rest}" if separator and scheme in POSTGRES else url

    @cached_property
    def database(self) -> str:
        """The database's URL; SQLite under `var/` where none is given."""
        return self.database_url or f"sqlite:///{self.var.absolute() / 'skan.sqlite3'}"

    @property
    def quarantine_caps(self) -> dict[str, tuple[int, int]]:
        """Rows and bytes that the quarantine has room for, by the kind of what is used."""
        return {
            "quarantine": (self.quarantine_rows, self.quarantine_bytes),
            "quarantine-mmp": (self.mmp_quarantine_rows, self.mmp_quarantine_bytes),
        }

    @cached_property
    def vault_keys(self) -> tuple[str, ...]:
        """The keys that seal secrets of destinations; one made under `var/` where none is given."""
        if self.secret_keys:
            return self.secret_keys
        path = self.var / "secret-keys"
        if not path.exists():
            write_once(path, urlsafe_b64encode(secrets.token_bytes(32)))
        return tuple(path.read_text().split())

    @cached_property
    def secret(self) -> str:
        """The key that signs sessions: given, or made once under `var/`, readable by its owner."""
        if self.secret_key:
            return self.secret_key
        path = self.var / "secret-key"
        if not path.exists():
            write_once(path, secrets.token_hex(32).encode())
        return path.read_text()


POSTGRES = ("postgres", "postgresql", "postgresql+psycopg")


def load(**overrides: object) -> Settings:
    """The settings of this process; ConfigurationError names each one that is wrong."""
    try:
        return Settings(**overrides)  # type: ignore[arg-type]  # pydantic checks them
    except ValidationError as error:
        faults = "; ".join(f"{_variable(e['loc'])}: {e['msg']}" for e in error.errors())
        raise ConfigurationError(faults) from None


def _variable(location: tuple[int | str, ...]) -> str:
    name = str(location[0]) if location else "settings"
    return name if name.isupper() else f"SKAN_{name.upper()}"


def write_once(path: Path, content: bytes) -> None:
    """Write a secret for its owner only: whole or not at all, and never over one that is there,
    however many processes start together."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent)
    try:
        with open(handle, "wb") as file:
            file.write(content)
        with suppress(FileExistsError):
            os.link(name, path)
    finally:
        os.unlink(name)
