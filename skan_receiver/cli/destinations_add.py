"""`destinations add`: a new one, by hand or by a preset."""

from collections.abc import Mapping, Sequence
from typing import Any

import click
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from skan_receiver.cli.context import open_store
from skan_receiver.cli.destinations_secrets import asked
from skan_receiver.delivery import Vault, registry, vault
from skan_receiver.delivery.destinations import KINDS, EventDestination
from skan_receiver.delivery.presets import PRESETS, fill
from skan_receiver.delivery.presets.preset import Preset
from skan_receiver.delivery.save import checked


@click.command()
@click.argument("name")
@click.option("--preset", type=click.Choice(list(PRESETS)), help="Begin with a preset.")
@click.option("--set", "parameters", multiple=True, metavar="NAME=VALUE",
              help="For the preset; its secrets are asked for.")  # fmt: skip
@click.option("--kind", type=click.Choice(list(KINDS)))
@click.option("--url", help="Where it goes; may hold macros such as {campaign_id}.")
@click.option("--field", "fields", multiple=True, metavar="NAME=YAML", help="Any other field.")
@click.option("--paused", is_flag=True, help="Owe it, and send nothing yet.")
def add(
    name: str,
    preset: str | None,
    parameters: Sequence[str],
    kind: str | None,
    url: str | None,
    fields: Sequence[str],
    *,
    paused: bool,
) -> None:
    """Add the destination NAME: it is owed what arrives from now on."""
    settings, store = open_store()
    written: dict[str, Any] = {"name": name}
    secrets: Mapping[str, str] = {}
    if preset is not None:
        written, secrets = fill(PRESETS[preset], name, _told_all(PRESETS[preset], parameters))
    elif parameters:
        raise click.UsageError("--set is for presets: name one with --preset")
    written |= {key: value for key, value in (("kind", kind), ("url", url)) if value is not None}
    written |= {key: _yaml(value) for key, value in _pairs(fields, "--field").items()}
    destination = checked(written, settings)
    entry = registry.add(store, destination, paused=paused)
    keeper = Vault(settings.vault_keys)
    for secret, plain in secrets.items():
        vault.put_secret(store, keeper, name, secret, plain)
    click.echo(f"{name}: owed what arrives from {entry.since:%Y-%m-%d %H:%M:%S} UTC on")
    if isinstance(destination, EventDestination) and destination.already_sent_by_mmp:
        click.echo("nothing is sent from here: an MMP sends it already, and it would count twice")
    if missing := destination.secret_names - set(secrets):
        click.echo(f"it needs: destinations secret set {name} {' '.join(sorted(missing))}")


def _told_all(preset: Preset, written: Sequence[str]) -> dict[str, str]:
    """What a preset wants to know; its secrets are asked for, or read from a pipe, one a line."""
    told = _pairs(written, "--set")
    secret = [one for one in preset.parameters if one.secret]
    if shown := [one.name for one in secret if one.name in told]:
        raise click.UsageError(f"--set {shown[0]}: every user of this machine could read it there; "
                               "leave it out, and it is asked for")  # fmt: skip
    return told | {one.name: asked(one.what) for one in secret}


def _pairs(written: Sequence[str], option: str) -> dict[str, str]:
    pairs = {}
    for text in written:
        name, equals, value = text.partition("=")
        if not equals:
            raise click.UsageError(f"{option} {text}: write NAME=VALUE")
        pairs[name] = value
    return pairs


def _yaml(text: str) -> Any:
    try:
        return YAML(typ="safe").load(text)
    except YAMLError as error:
        raise click.UsageError(f"--field: {text!r} is not YAML: {error}") from None
