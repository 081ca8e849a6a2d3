"""`destinations secret`: keys and passwords of destinations."""

import sys

import click
from cryptography.fernet import Fernet

from skan_receiver.cli.context import open_store
from skan_receiver.cli.output import as_json, show
from skan_receiver.delivery import Vault, registry, vault


@click.group()
def secret() -> None:
    """Keep the secrets of destinations, encrypted."""


@secret.command("set")
@click.argument("destination")
@click.argument("name")
def set_secret(destination: str, name: str) -> None:
    """Keep the secret NAME of DESTINATION; its value is asked for, or read from a pipe."""
    settings, store = open_store()
    plain = asked(f"{name} of {destination}")
    vault.put_secret(store, Vault(settings.vault_keys), destination, name, plain)
    click.echo(f"kept; templates of {destination} name it {{secret:{name}}}")


@secret.command("list")
@click.argument("destination")
@as_json
def list_secrets(destination: str, *, as_json: bool) -> None:
    """List the secrets of DESTINATION by name; nobody can read them back."""
    _, store = open_store()
    with store.read() as connection:
        registry.find(connection, destination)
        rows = [dict(row._mapping) for row in vault.secret_names(connection, destination)]
    show(rows, ("name", "changed_at"), as_json=as_json)


@secret.command("remove")
@click.argument("destination")
@click.argument("name")
def remove_secret(destination: str, name: str) -> None:
    """Forget the secret NAME of DESTINATION."""
    _, store = open_store()
    vault.remove_secret(store, destination, name)
    click.echo("forgotten")


@secret.command("rotate")
def rotate_secrets() -> None:
    """Encrypt all secrets anew, with the first key of SKAN_SECRET_KEYS."""
    settings, store = open_store()
    click.echo(f"{vault.rotate(store, Vault(settings.vault_keys))} secrets encrypted anew")


@secret.command("new-key")
def new_key() -> None:
    """Print a new key for SKAN_SECRET_KEYS."""
    click.echo(Fernet.generate_key().decode())


def asked(what: str) -> str:
    """From whoever sits there without showing it, or from a pipe; never from the arguments,
    which every user of a machine can see."""
    if sys.stdin.isatty():
        return str(click.prompt(what, hide_input=True))
    return sys.stdin.readline().rstrip("\r\n")
