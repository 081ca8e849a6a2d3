"""What the views work with: made once in each process, found through the application."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import current_app, request
from flask.sansio.app import App

from skan_receiver.config import Settings
from skan_receiver.delivery import Vault
from skan_receiver.events import Intake
from skan_receiver.ingest import Ingest
from skan_receiver.protocol import Keys
from skan_receiver.storage import Store
from skan_receiver.touches import Touches
from skan_receiver.web.readiness import Readiness
from skan_receiver.web.tokens import load_tokens

EXTENSION = "skan"


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a view may need; nothing in it opens a connection before it is used."""

    settings: Settings
    store: Store
    keys: Keys
    ingest: Ingest
    intake: Intake
    touches: Touches
    # Who may forward, by name, and the token each must show; None: anybody, without one.
    forwarders: Mapping[str, str] | None
    readiness: Readiness
    # Seals the addresses of devices; None: nobody wants them.
    vault: Vault | None = None

    @classmethod
    def of(cls, settings: Settings) -> "Services":
        """The services of these settings; ConfigurationError where a file is wrong."""
        store = Store(settings.database)
        keys = Keys.load(settings.keys, settings.test_keys)
        tokens = load_tokens(settings.forwarder_tokens)
        ingest, intake = Ingest(store, settings, keys), Intake(store, settings)
        vault = Vault(settings.vault_keys) if settings.relay_ip else None
        return cls(
            settings,
            store,
            keys,
            ingest,
            intake,
            Touches(store, settings),
            tokens,
            Readiness(store),
            vault,
        )


def services() -> Services:
    """The services of the application that is handling this request."""
    return of(current_app)


def base_url() -> str:
    """What our addresses begin with, as others reach us; without a slash at the end."""
    return services().settings.public_url.rstrip("/") or request.host_url.rstrip("/")


def of(app: App) -> Services:
    """The services of `app`."""
    found: Services = app.extensions[EXTENSION]
    return found
