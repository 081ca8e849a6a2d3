"""What most commands begin with: settings, keys and a store that is up to date."""

from contextlib import AbstractContextManager
from getpass import getuser

import click

from skan_receiver.config import Settings, load
from skan_receiver.errors import ConfigurationError
from skan_receiver.protocol import Keys
from skan_receiver.storage import Store, audit, migrate

# What comes from Apple, a simulator or a clock is nobody's deed.
UNNOTED = (
    *("ingest", "simulate", "demo", "serve", "worker", "estimate", "db", "doctor"),
    "alerts check",
)


def open_store(settings: Settings | None = None) -> tuple[Settings, Store]:
    """The store of this environment, at this release's schema; closed when the command ends."""
    settings = settings or load()
    store = Store(settings.database)
    if (running := click.get_current_context(silent=True)) is not None:
        running.call_on_close(store.close)
        if (noted := _entry(running)) is not None:
            running.with_resource(noted)
    if migrate.current(store) != migrate.head():
        raise ConfigurationError(
            f"the database {store.url.render_as_string()} is not at this release's schema; "
            "run: skan-receiver db upgrade"
        )
    return settings, store


def _entry(running: click.Context) -> AbstractContextManager[None] | None:
    """What a command changes is in the audit log, whatever the command: its first write notes it.

    Its arguments are told, its options are not; secrets are asked for and are neither.
    """
    action = _named(running)
    if not action or action.split()[0] in UNNOTED or action in UNNOTED:
        return None
    told = [
        " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
        for one in running.command.params
        if isinstance(one, click.Argument) and (value := running.params.get(one.name or ""))
    ]
    return audit.doing(f"command {getuser()}", action, " ".join(told))


def _named(running: click.Context) -> str:
    """A command with its groups, whatever the program is called: `python -m` is of three words."""
    if running.parent is None:
        return ""
    return f"{_named(running.parent)} {running.info_name}".strip()


def load_keys(settings: Settings) -> Keys:
    """Apple's keys and those of SKAN_KEYS and SKAN_TEST_KEYS."""
    return Keys.load(settings.keys, settings.test_keys)
