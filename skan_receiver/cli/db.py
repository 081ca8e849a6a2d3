"""`db upgrade | current`."""

import click

from skan_receiver.config import load
from skan_receiver.storage import Store, migrate


@click.group()
def db() -> None:
    """Upgrade the database, or say where it stands."""


@db.command()
def upgrade() -> None:
    """Bring the database to this release's schema. Whoever else tries meanwhile waits."""
    store = Store(load().database)
    before = migrate.current(store)
    migrate.upgrade(store)
    after = migrate.current(store)
    click.echo(f"{before or 'empty'} -> {after}" if before != after else f"{after}: nothing to do")


@db.command()
def current() -> None:
    """Print the database's revision; exit 1 where it is not this release's."""
    revision = migrate.current(Store(load().database))
    click.echo(revision or "empty")
    raise SystemExit(0 if revision == migrate.head() else 1)
