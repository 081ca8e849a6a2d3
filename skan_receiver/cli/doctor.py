"""`doctor`: what would keep postbacks from arriving?"""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from skan_receiver.cli.output import as_json, show
from skan_receiver.config import load


@click.command()
@click.option(
    "--plist", type=click.Path(dir_okay=False, path_type=Path), help="An app's Info.plist."
)
@click.option("--url", help="Where the world reaches us: https://example.com.")
@as_json
def doctor(plist: Path | None, url: str | None, *, as_json: bool) -> None:
    """Look at this set-up: keys, store and clock; an app's plist; the public address.

    The address is asked as devices would, from here; nothing is stored by that. Exit status 1
    where something is bad.
    """
    from skan_receiver.doctor import State, look_at_ourselves, look_at_plist, look_at_site

    now = datetime.now(UTC)
    findings = look_at_ourselves(load(), now)
    if plist is not None:
        findings += look_at_plist(plist)
    if url is not None:
        findings += look_at_site(url, now)
    show((asdict(one) for one in findings), ("state", "what", "said"), as_json=as_json)
    raise SystemExit(1 if any(one.state is State.BAD for one in findings) else 0)
