"""What pages about destinations share: the editor of definitions, and trying them."""

from contextlib import closing
from dataclasses import replace
from typing import TypeVar

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from skan_receiver.delivery import Entry
from skan_receiver.delivery.destinations import Destination
from skan_receiver.delivery.templates.macros import KINDS, macros_for
from skan_receiver.delivery.trial import subject, trial
from skan_receiver.delivery.trial_events import NothingToSend
from skan_receiver.errors import DeliveryFailed
from skan_receiver.web.destination_form import DestinationForm, PresetForm
from skan_receiver.web.services import services
from skan_receiver.worker import sender

Form = TypeVar("Form", DestinationForm, PresetForm)


def editor(
    form: DestinationForm, entry: Entry | None, *, kind: str | None = None
) -> ResponseReturnValue:
    """A definition as text, with what is wrong with it and what it would send."""
    kind = form.destination.kind if form.destination else kind
    kind = kind or (entry.destination.kind if entry else "relay")
    macros = macros_for(kind) if kind in KINDS else {}
    page = render_template(
        "destination_edit.html", form=form, entry=entry, kind=kind, macros=macros
    )
    return page, 422 if form.mistakes and request.method == "POST" else 200


def tried(
    form: Form, destination: Destination | None, *, about: int | None = None, send: bool = False
) -> Form:
    """With the request that it would make, and where it was sent, the answer."""
    if destination is None:
        return form
    store = services().store
    with closing(sender(services().settings, store)) as sending:
        try:
            with store.read() as connection:
                stands_for = subject(connection, destination, about)
            return replace(form, trial=trial(sending, destination, stands_for, send=send))
        except (NothingToSend, DeliveryFailed) as failure:
            return replace(form, refused=str(failure))


def to_page(name: str, said: str) -> ResponseReturnValue:
    """To the page of a destination, where it is said what was done."""
    flash(said, "good")
    return redirect(url_for("destinations.show", name=name), 303)
