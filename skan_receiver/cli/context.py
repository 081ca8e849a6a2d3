"""What most commands begin with: settings, keys and a store that is up to date."""

import click

from skan_receiver.config import Settings, load
from skan_receiver.errors import ConfigurationError
from skan_receiver.protocol import Keys
from skan_receiver.storage import Store, migrate


def open_store(settings: Settings | None = None) -> tuple[Settings, Store]:
    """The store of this environment, at this release's schema; closed when the command ends."""
    settings = settings or load()
    store = Store(settings.database)
    if (running := click.get_current_context(silent=True)) is not None:
        running.call_on_close(store.close)
    if migrate.current(store) != migrate.head():
        raise ConfigurationError(
            f"the database {store.url.render_as_string()} is not at this release's schema; "
            "run: skan-receiver db upgrade"
        )
    return settings, store


def load_keys(settings: Settings) -> Keys:
    """Apple's keys and those of SKAN_KEYS and SKAN_TEST_KEYS."""
    return Keys.load(settings.keys, settings.test_keys)
