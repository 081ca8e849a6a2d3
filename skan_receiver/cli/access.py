"""`keys` and `users`: who may look."""

from datetime import UTC, datetime, timedelta

import click

from skan_receiver.cli.context import open_store
from skan_receiver.cli.output import as_json, show
from skan_receiver.config import Settings
from skan_receiver.storage import access, apikeys


@click.group()
def keys() -> None:
    """Manage API keys: what programs read with."""


@keys.command("create")
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(apikeys.SCOPES),
    help="What it allows; give several times for several. [default: read]",
)
@click.option("--partner", help="The partner it belongs to; the scope is then `partner`.")
@click.option(
    "--days", type=click.IntRange(min=1), help="How long it works. [default: until revoked]"
)
def create_key(name: str, scopes: tuple[str, ...], partner: str | None, days: int | None) -> None:
    """Make a key and print it: this is the only time that anybody sees it."""
    _, store = open_store()
    now = datetime.now(UTC)
    expires_at = now + timedelta(days=days) if days else None
    wanted = scopes or (("partner",) if partner else ("read",))
    click.echo(apikeys.create_key(store, name, wanted, now, partner=partner, expires_at=expires_at))


@keys.command("list")
@as_json
def list_keys(*, as_json: bool) -> None:
    """List the keys there ever were; the keys themselves are not kept."""
    _, store = open_store()
    columns = (
        *("id", "name", "prefix", "scopes", "partner"),
        *("created_at", "expires_at", "revoked_at", "last_used_at"),
    )
    rows = [{name: getattr(row, name) for name in columns} for row in apikeys.keys(store)]
    show(rows, columns, as_json=as_json)


@keys.command("revoke")
@click.argument("key_id", type=click.IntRange(min=1, max=2**63 - 1))
def revoke_key(key_id: int) -> None:
    """End a key at once. `keys list` tells its id."""
    _, store = open_store()
    if not apikeys.revoke_key(store, key_id, datetime.now(UTC)):
        raise click.ClickException(f"there is no key {key_id}, or it was revoked before")
    click.echo(f"key {key_id} is revoked")


@click.group()
def users() -> None:
    """Manage who may sign in."""


role = click.option(
    "--role",
    type=click.Choice(access.ROLES),
    default=access.ADMIN,
    show_default=True,
    help="Viewers look, editors change, admins say who may.",
)
apps = click.option(
    "--app", "apps", multiple=True, type=click.IntRange(min=1), help="Sees this app. [default: all]"
)
networks = click.option(
    "--network", "networks", multiple=True, help="Sees this ad network's id. [default: all]"
)


@users.command("add")
@click.argument("name")
@role
@apps
@networks
def add_user(name: str, role: str, apps: tuple[int, ...], networks: tuple[str, ...]) -> None:
    """Add a user and print the one-time link with which they choose a password."""
    settings, store = open_store()
    permit = access.Permit(role, apps, networks)
    click.echo(_url(settings, access.add_user(store, name, datetime.now(UTC), permit)))


@users.command("change")
@click.argument("name")
@role
@apps
@networks
def change_user(name: str, role: str, apps: tuple[int, ...], networks: tuple[str, ...]) -> None:
    """Say anew what a user may do and see, from their next request on."""
    _, store = open_store()
    access.change_user(store, name, access.Permit(role, apps, networks))
    click.echo(f"{name} is {role} now")


@users.command("link")
@click.argument("name")
def link(name: str) -> None:
    """Print a new one-time link for a user who forgot the password, or lost the link."""
    settings, store = open_store()
    click.echo(_url(settings, access.new_link(store, name, datetime.now(UTC))))


@users.command("list")
@as_json
def list_users(*, as_json: bool) -> None:
    """List the users."""
    _, store = open_store()
    rows = [
        {
            "name": row.name,
            "role": row.role,
            "apps": row.apps,
            "networks": row.networks,
            "password": "chosen" if row.password_hash else "not yet",
            "issuer": row.issuer,
            "created_at": row.created_at,
        }
        for row in access.users(store)
    ]
    show(
        rows,
        ("name", "role", "apps", "networks", "password", "issuer", "created_at"),
        as_json=as_json,
    )


@users.command("remove")
@click.argument("name")
def remove_user(name: str) -> None:
    """Remove a user; whoever is signed in by that name is out."""
    _, store = open_store()
    if not access.remove_user(store, name):
        raise click.ClickException(f"there is no user {name!r}")
    click.echo(f"{name} is removed")


def _url(settings: Settings, token: str) -> str:
    url = settings.public_url.rstrip("/") or f"http://{settings.host}:{settings.port}"
    return f"{url}/login/{token}"
