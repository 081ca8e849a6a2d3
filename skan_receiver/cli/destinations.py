"""`destinations`: where results go."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from cryptography.fernet import Fernet
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from skan_receiver.cli.context import open_store
from skan_receiver.cli.output import as_json, dumps, show
from skan_receiver.delivery import Entry, Vault, documents, registry, vault
from skan_receiver.delivery.destinations import KINDS, EventDestination
from skan_receiver.delivery.presets import PRESETS, fill
from skan_receiver.delivery.presets.preset import Preset
from skan_receiver.delivery.save import checked
from skan_receiver.delivery.search import tallies
from skan_receiver.delivery.templates import DIALECTS, guess_dialect, translate
from skan_receiver.delivery.trial import Trial, subject, trial
from skan_receiver.protocol import Framework
from skan_receiver.worker import sender

COLUMNS = ("name", "kind", "state", "owed", "dead", "url")


@click.group()
def destinations() -> None:
    """Say where results go, and try it."""


@destinations.command("list")
@as_json
def list_(*, as_json: bool) -> None:
    """List destinations, how each is doing, and how much it is owed or was given up."""
    _, store = open_store()
    with store.read() as connection:
        counts = tallies(connection)
        known, unreadable = registry.readable(connection)
        rows = [_brief(entry, counts.get(entry.name, {})) for entry in known]
        rows += [_spoilt(name, why, counts.get(name, {})) for name, why in unreadable.items()]
    show(rows, COLUMNS, as_json=as_json)


@destinations.command("show")
@click.argument("name")
@as_json
def show_(name: str, *, as_json: bool) -> None:
    """Show one: its definition, its health, and the names of its secrets."""
    _, store = open_store()
    with store.read() as connection:
        entry = registry.find(connection, name)
        told = _told(entry, [row.name for row in vault.secret_names(connection, name)])
        told["deliveries"] = tallies(connection).get(name, {})
    click.echo(dumps(told) if as_json else documents.as_yaml(_plain(told)), nl=as_json)


@destinations.command()
def presets() -> None:
    """List the presets for MMPs and others, and what each wants to know."""
    for name, preset in PRESETS.items():
        click.echo(f"{name}: {preset.title} ({preset.role})")
        for parameter in preset.parameters:
            asked, given = f"{parameter.name} (asked for)", f"--set {parameter.name}=…"
            click.echo(f"    {asked if parameter.secret else given}   {parameter.what}")
        if preset.confirmed:
            click.echo(f"    {preset.confirmed}")


@destinations.command("translate")
@click.argument("text")
@click.option("--dialect", type=click.Choice(list(DIALECTS)), help="[guessed from its macros]")
@click.option("--kind", type=click.Choice(list(KINDS)), help="For this kind; `event` knows users.")
def translate_(text: str, dialect: str | None, kind: str | None) -> None:
    """Translate a template of a vendor's, such as https://…?cv=(skad_conversion_value).

    Exit status 1: it names something that has no counterpart, or that identifies a person.
    """
    dialect = dialect or guess_dialect(text)
    if dialect is None:
        raise click.UsageError(f"whose is it? Name a --dialect: {', '.join(DIALECTS)}")
    of_users = kind == "event"
    translated = translate(text, dialect, of_users=of_users)
    click.echo(translated.text)
    for name in translated.unknown:
        click.echo(f"{name}: no macro of ours stands for it; leave it out", err=True)
    for name in translated.personal:
        where = "is nothing that we keep" if of_users else "only `--kind event` has it, by consent"
        click.echo(f"{name}: identifies a person or a device: {where}", err=True)
    if translated.unknown or translated.personal:
        sys.exit(1)


@destinations.command()
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


@destinations.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Check, and say what would change.")
def import_(file: Path, *, dry_run: bool) -> None:
    """Add and change destinations as FILE (YAML) says; those it does not name stay."""
    settings, store = open_store()
    written = documents.read_file(file, settings)
    with store.read() as connection:
        before = {entry.name: entry for entry in registry.readable(connection)[0]}
    if not dry_run:
        registry.put(store, written)
    for destination, _ in written:
        known = before.get(destination.name)
        same = known and registry.written(known.destination) == registry.written(destination)
        click.echo(f"{destination.name}: {'as it was' if same else 'changed' if known else 'new'}")


@destinations.command()
def export() -> None:
    """Print all destinations as YAML, without their secrets."""
    _, store = open_store()
    with store.read() as connection:
        click.echo(documents.write(registry.entries(connection)), nl=False)


@destinations.command()
@click.argument("name")
@click.option("--postback", "--event", "stored_id", type=int,
              help="Of a stored postback, or event. [a made-up one]")  # fmt: skip
@click.option("--framework", type=click.Choice([one.value for one in Framework]))
@click.option("--send", is_flag=True, help="Send it too, and show the answer.")
@as_json
def test(
    name: str, stored_id: int | None, framework: str | None, *, send: bool, as_json: bool
) -> None:
    """Show what NAME would be sent; counts nothing. Exit status 1: it was sent, and not taken."""
    settings, store = open_store()
    sending = sender(settings, store)
    with store.read() as connection:
        destination = registry.find(connection, name).destination
        wanted = Framework(framework) if framework else None
        about = subject(connection, destination, stored_id, wanted)
    tried = trial(sending, destination, about, send=send)
    sending.close()
    click.echo(dumps(tried.as_dict()) if as_json else _prose(tried))
    if tried.sent and not tried.sent.taken:
        sys.exit(1)


@destinations.command()
@click.argument("name")
def pause(name: str) -> None:
    """Send NAME nothing more for now; it is owed all the same."""
    _, store = open_store()
    registry.pause(store, name)
    click.echo(f"{name}: paused; what it is owed waits")


@destinations.command()
@click.argument("name")
def resume(name: str) -> None:
    """Go on sending to NAME, with what has waited first."""
    _, store = open_store()
    registry.resume(store, name)
    click.echo(f"{name}: going on")


@destinations.command()
@click.argument("name")
def remove(name: str) -> None:
    """Forget NAME and its secrets; what is still owed to it is given up, on record."""
    _, store = open_store()
    given_up = registry.remove(store, name)
    click.echo(f"{name}: removed; {given_up} deliveries given up")


@destinations.group()
def secret() -> None:
    """Keep the secrets of destinations, encrypted."""


@secret.command("set")
@click.argument("destination")
@click.argument("name")
def set_secret(destination: str, name: str) -> None:
    """Keep the secret NAME of DESTINATION; its value is asked for, or read from a pipe."""
    settings, store = open_store()
    plain = _asked(f"{name} of {destination}")
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


def _brief(entry: Entry, counts: Mapping[str, int]) -> dict[str, Any]:
    return {
        "name": entry.name,
        "kind": entry.destination.kind,
        "state": entry.state,
        **_amounts(counts),
        "url": ", ".join(dict.fromkeys(entry.destination.masked)),
    }


def _spoilt(name: str, why: str, counts: Mapping[str, int]) -> dict[str, Any]:
    """One that nothing is settled without: it is to be mended with `import`, or removed."""
    return {"name": name, "kind": None, "state": why, **_amounts(counts), "url": None}


def _amounts(counts: Mapping[str, int]) -> dict[str, int]:
    owed = counts.get("owed", 0) + counts.get("leased", 0)
    return {"owed": owed, "dead": counts.get("dead", 0)}


def _told(entry: Entry, secrets: Sequence[str]) -> dict[str, Any]:
    return {
        **documents.described_as(entry),
        "state": entry.state,
        "since": entry.since,
        "failing_since": entry.failing_since,
        "revision": entry.revision,
        "secrets": list(secrets),
    }


def _plain(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if value is not None}


def _prose(tried: Trial) -> str:
    told = tried.as_dict()
    request = told["request"]
    lines = [f"{request['method']} {request['url']}"]
    lines += [f"{name}: {value}" for name, value in request["headers"].items()]
    lines += ["", request["body"]] if request["body"] else []
    if sent := told["sent"]:
        lines += ["", f"answered {sent['status']} after {sent['duration_ms']} ms"
                  if sent["status"] else f"no answer: {sent['error']}"]  # fmt: skip
        lines += [sent["answer"]] if sent["answer"] else []
    return "\n".join(lines)


def _pairs(written: Sequence[str], option: str) -> dict[str, str]:
    pairs = {}
    for text in written:
        name, equals, value = text.partition("=")
        if not equals:
            raise click.UsageError(f"{option} {text}: write NAME=VALUE")
        pairs[name] = value
    return pairs


def _told_all(preset: Preset, written: Sequence[str]) -> dict[str, str]:
    """What a preset wants to know; its secrets are asked for, or read from a pipe, one a line."""
    told = _pairs(written, "--set")
    secret = [one for one in preset.parameters if one.secret]
    if shown := [one.name for one in secret if one.name in told]:
        raise click.UsageError(f"--set {shown[0]}: every user of this machine could read it there; "
                               "leave it out, and it is asked for")  # fmt: skip
    return told | {one.name: _asked(one.what) for one in secret}


def _yaml(text: str) -> Any:
    try:
        return YAML(typ="safe").load(text)
    except YAMLError as error:
        raise click.UsageError(f"--field: {text!r} is not YAML: {error}") from None


def _asked(what: str) -> str:
    """From whoever sits there without showing it, or from a pipe; never from the arguments,
    which every user of a machine can see."""
    if sys.stdin.isatty():
        return str(click.prompt(what, hide_input=True))
    return sys.stdin.readline().rstrip("\r\n")
