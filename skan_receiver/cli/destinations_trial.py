"""`destinations test`: what one would be sent."""

import sys

import click

from skan_receiver.cli.context import open_store
from skan_receiver.cli.output import as_json, dumps
from skan_receiver.delivery import registry
from skan_receiver.delivery.trial import Trial, subject, trial
from skan_receiver.protocol import Framework
from skan_receiver.worker import sender


@click.command()
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
