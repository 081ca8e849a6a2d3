"""`destinations presets` and `translate`: what others call for, in our words."""

import sys

import click

from skan_receiver.delivery.destinations import KINDS
from skan_receiver.delivery.presets import PRESETS
from skan_receiver.delivery.templates import DIALECTS, guess_dialect, translate


@click.command()
def presets() -> None:
    """List the presets for MMPs and others, and what each wants to know."""
    for name, preset in PRESETS.items():
        click.echo(f"{name}: {preset.title} ({preset.role})")
        for parameter in preset.parameters:
            asked, given = f"{parameter.name} (asked for)", f"--set {parameter.name}=…"
            click.echo(f"    {asked if parameter.secret else given}   {parameter.what}")
        if preset.confirmed:
            click.echo(f"    {preset.confirmed}")


@click.command("translate")
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
