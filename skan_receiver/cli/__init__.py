"""The commands. One file each, imported when used, so that `verify` starts without a database."""

import sys
from importlib import import_module, metadata

import click

from skan_receiver.errors import ConfigurationError, SkanError

# The table of contents: command, where it is, and what `--help` says of it.
COMMANDS = {
    "serve": ("serve", "Run web and worker, and keep them running."),
    "worker": ("worker", "Run the worker alone."),
    "verify": ("verify", "Say of each postback in a file whether Apple signed it."),
    "decode": ("decode", "Say what each postback in a file means."),
    "ingest": ("ingest", "Import postbacks from files."),
    "postbacks": ("postbacks", "List stored postbacks, or show one."),
    "reread": ("again", "Read the quarantine again."),
    "reverify": ("again", "Judge stored postbacks again."),
    "redecode": ("redecode", "Change what arrived postbacks mean."),
    "schemas": ("schemas", "Check, show and publish conversion schemas."),
    "destinations": ("destinations", "Say where results go, and try it."),
    "events": ("events", "Take in installs and events of users, and look at them."),
    "touches": ("touches", "Let networks tell of clicks on ads, and make tracking links."),
    "deliveries": ("deliveries", "List deliveries, and send some again."),
    "report": ("report", "Print a report."),
    "export": ("export", "Write postbacks as Parquet, for notebooks and clusters."),
    "analytics": ("analytics", "Print a named expression over an export."),
    "statements": ("statements", "Keep what MMPs and networks count, to compare it."),
    "estimate": ("estimate", "Estimate revenue and installs anew."),
    "doctor": ("doctor", "Say what would keep postbacks from arriving."),
    "demo": ("demo", "Serve a sandbox with a simulated history."),
    "simulate": ("simulate", "Play users, phones and Apple, with test keys."),
    "apps": ("registered", "Register the apps that are ours."),
    "networks": ("registered", "Register the ad networks that are ours."),
    "campaigns": ("campaigns", "Name the ads behind identifiers."),
    "costs": ("costs", "Say what ads cost."),
    "rates": ("rates", "Say what currencies are worth."),
    "keys": ("access", "Manage API keys."),
    "users": ("access", "Manage who may sign in."),
    "alerts": ("alerts", "Say what is not well, and who is told."),
    "audit": ("audit", "Say who changed what, and whether the log is whole."),
    "db": ("db", "Upgrade the database."),
}


class _Lazy(click.Group):
    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"{__name__}.{COMMANDS[name][0]}"), name)
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_) for name, (_, help_) in COMMANDS.items()])


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(metadata.version("skan-receiver"), prog_name="skan-receiver")
def cli() -> None:
    """Receive, verify, decode and forward Apple's attribution postbacks.

    Exit status: 0 done, 1 a negative answer, 2 wrong use.
    """


def main() -> None:
    """Run; what goes wrong is one line that says so, not a traceback."""
    try:
        cli()
    except SkanError as error:
        click.echo(f"skan-receiver: {error}", err=True)
        sys.exit(2 if isinstance(error, ConfigurationError) else 1)
