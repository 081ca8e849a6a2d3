"""The ledger in the browser: what was owed, what came of it, and owing it anew."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from skan_receiver.delivery import registry, replay
from skan_receiver.delivery.facts import delivery_name
from skan_receiver.delivery.replay import Which
from skan_receiver.delivery.search import Query, find, story
from skan_receiver.storage import audit
from skan_receiver.storage.deliveries import DEAD, DONE, LEASED, OWED
from skan_receiver.web.access import actor, may, unlimited_only
from skan_receiver.web.page import page_blueprint
from skan_receiver.web.searching import moment_of
from skan_receiver.web.services import services

bp = page_blueprint("deliveries", __name__, "/deliveries")
bp.before_request(unlimited_only)

STATES = (OWED, LEASED, DONE, DEAD)
SHOWN = 50


@dataclass(frozen=True, slots=True)
class Asked:
    """The form: what was typed, and the question it is."""

    typed: Mapping[str, str]
    query: Query
    wrong: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, arguments: Mapping[str, str]) -> "Asked":
        """Read it. What makes no sense is said beside its field."""
        names = ("destination", "state", "since", "until")
        typed = {name: text for name in names if (text := arguments.get(name, "").strip())}
        wrong: dict[str, str] = {}
        since, until = (_moment(name, typed, wrong) for name in ("since", "until"))
        if typed.get("state", DEAD) not in STATES:
            wrong["state"] = f"one of: {', '.join(STATES)}"
        query = Query(typed.get("destination"), typed.get("state"), None, since, until)
        return cls(typed, query, wrong)

    def url(self, **more: object) -> str:
        """The same again, with `more`."""
        return f"{url_for('deliveries.listing')}?{urlencode({**self.typed, **more})}"


@bp.get("")
def listing() -> ResponseReturnValue:
    """What was owed, the newest first."""
    asked = Asked.of(request.args)
    before = request.args.get("before", type=int)
    with services().store.read() as connection:
        known = [entry.name for entry in registry.readable(connection)[0]]
        query = asked.query if not asked.wrong else Query(stored_id=-1)  # nothing
        found = find(connection, query, before=before, limit=SHOWN)
    page = render_template(
        "deliveries.html",
        rows=found.rows,
        asked=asked,
        known=known,
        states=STATES,
        more=asked.url(before=found.before) if found.before else None,
        looked_to=found.looked_to,
    )
    return page, 422 if asked.wrong else 200


@bp.get("/<int:delivery_id>")
def show(delivery_id: int) -> ResponseReturnValue:
    """One of them, with every try."""
    with services().store.read() as connection:
        found = story(connection, min(delivery_id, 2**63 - 1))
    if found is None:
        raise NotFound(f"There is no delivery {delivery_id}.")
    name = delivery_name(found.row.identity, found.row.destination)
    return render_template("delivery.html", row=found.row, tries=found.attempts, name=name)


@bp.post("/<int:delivery_id>/replay")
@may("editor")
def again(delivery_id: int) -> ResponseReturnValue:
    """Owe one anew."""
    which = Which(ids=(min(delivery_id, 2**63 - 1),), states=(DONE, DEAD))
    with audit.doing(actor(), "delivery.replay", str(delivery_id)):
        owed = replay.again(services().store, which)
    if owed:
        flash("It is owed anew, and due at once.", "good")
    else:
        flash("It is still owed, or its destination is no more: nothing to replay.", "bad")
    back = request.form.get("back", type=int)
    if back is not None:
        return redirect(url_for("pages.postback", stored_id=back), 303)
    return redirect(url_for("deliveries.show", delivery_id=delivery_id), 303)


@bp.post("/replay")
@may("editor")
def many() -> ResponseReturnValue:
    """Owe anew what the form leaves: first how many, then, when that is confirmed, do so."""
    asked = Asked.of(request.form)
    if asked.wrong or not asked.query.destination:
        flash("Choose a destination first, and times that can be read.", "bad")
        return redirect(asked.url(), 303)
    state = asked.query.state
    which = Which(
        destination=asked.query.destination,
        states=(state,) if state in (DONE, DEAD) else (DEAD,),
        since=asked.query.since,
        until=asked.query.until,
    )
    with services().store.read() as connection:
        counted = replay.count(connection, which)
    if request.form.get("sure") != "yes":
        return render_template("replay.html", asked=asked, which=which, counted=counted)
    detail = {"deliveries": counted, "states": which.states}
    with audit.doing(actor(), "delivery.replay", asked.query.destination, detail):
        owed = replay.again(services().store, which)
    flash(f"{owed} deliveries are owed anew.", "good")
    return redirect(asked.url(), 303)


def _moment(name: str, typed: Mapping[str, str], wrong: dict[str, str]) -> datetime | None:
    if not (text := typed.get(name)):
        return None
    try:
        return moment_of(text)
    except ValueError as error:
        wrong[name] = str(error)
        return None
