"""What is not well, from which numbers on it is told, and whom."""

from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from skan_receiver.alerting import book, telling, thresholds
from skan_receiver.alerting.book import ChannelRefused, UnknownChannel, Wanted
from skan_receiver.alerting.channels import KINDS
from skan_receiver.alerting.channels.kind import Wires
from skan_receiver.alerting.rules import RULES
from skan_receiver.alerting.thresholds import LimitsRefused, UnknownRule
from skan_receiver.errors import DeliveryFailed
from skan_receiver.storage import alerts, audit
from skan_receiver.web.access import actor, may, unlimited_only
from skan_receiver.web.page import page_blueprint
from skan_receiver.web.services import services
from skan_receiver.web.watched import Looked, links
from skan_receiver.worker import transport

bp = page_blueprint("alerts", __name__, "/alerts")
bp.before_request(unlimited_only)

SHOWN = 30


@bp.get("")
def listing() -> ResponseReturnValue:
    """What is not well now, with what to do; and what was."""
    before = request.args.get("before", type=int)
    before = before if before is None or 0 < before < 2**63 else None
    with services().store.read() as connection:
        looked = Looked.of(connection, datetime.now(UTC))
        past = alerts.past_alerts(connection, before=before, limit=SHOWN + 1)
        has_channels = bool(book.channels(connection))
    return render_template(
        "alerts.html",
        looked=looked,
        past=past[:SHOWN],
        more=past[SHOWN - 1].id if len(past) > SHOWN else None,
        rules=RULES,
        links=links,
        has_channels=has_channels,
    )


@bp.get("/rules")
def rules() -> ResponseReturnValue:
    """What is looked for."""
    return _rules()


@bp.post("/rules/<rule>")
@may("editor")
def change(rule: str) -> ResponseReturnValue:
    """Say from which numbers on a rule tells, or that it does not."""
    is_off = request.form.get("is_on") != "yes"
    detail: dict[str, Any] = {"is_off": is_off}
    try:
        known = thresholds.rule_named(rule).usual
        limits = {name: _number(request.form.get(name, "")) for name in known}
        detail |= {"limits": limits}
        with audit.doing(actor(), "alert.rule", rule, detail):
            thresholds.set_rule(services().store, rule, limits, is_off=is_off)
    except UnknownRule as error:
        raise NotFound(str(error)) from None
    except LimitsRefused as error:
        return _rules(rule, dict(error.mistakes))
    flash(f"{RULES[rule].title}: {'no longer looked for' if is_off else 'saved'}.", "good")
    return redirect(url_for("alerts.rules"), 303)


@bp.get("/channels")
def channels() -> ResponseReturnValue:
    """Who is told."""
    return _channels()


@bp.post("/channels")
@may("admin")
def add() -> ResponseReturnValue:
    """Tell somebody."""
    form = request.form
    wanted = Wanted(
        name=form.get("name", "").strip(),
        kind=form.get("kind", ""),
        url=form.get("url", "").strip(),
        secret=form.get("secret", "").strip(),
        to=tuple(form.get("to", "").replace(",", " ").split()),
        rules=tuple(form.getlist("rules")),
    )
    detail = {"kind": wanted.kind, "rules": wanted.rules}
    try:
        with audit.doing(actor(), "alert.channel", wanted.name, detail):
            book.put_channel(services().store, services().settings, wanted)
    except ChannelRefused as error:
        return _channels(dict(error.mistakes))
    flash(f"{wanted.name} is told. Send it a test.", "good")
    return redirect(url_for("alerts.channels"), 303)


@bp.post("/channels/<name>")
@may("admin")
def act(name: str) -> ResponseReturnValue:
    """Send a channel a test, or tell it nothing more."""
    store = services().store
    try:
        if request.form.get("do") == "remove":
            with audit.doing(actor(), "alert.channel.remove", name):
                book.remove_channel(store, name)
            flash(f"{name} is told nothing more.", "good")
        else:
            with closing(transport(services().settings)) as sending:
                telling.test(store, Wires(sending, services().settings), name)
            flash(f"{name} took a test.", "good")
    except UnknownChannel as error:
        raise NotFound(str(error)) from None
    except DeliveryFailed as failure:
        flash(f"{name} did not take the test: {failure}", "bad")
    return redirect(url_for("alerts.channels"), 303)


def _rules(rule: str = "", wrong: Mapping[str, str] | None = None) -> ResponseReturnValue:
    with services().store.read() as connection:
        found = thresholds.settings(connection)
    page = render_template(
        "alert_rules.html", rules=found, at=rule, wrong=wrong or {}, typed=request.form
    )
    return page, 422 if wrong else 200


def _channels(wrong: Mapping[str, str] | None = None) -> ResponseReturnValue:
    with services().store.read() as connection:
        found = book.channels(connection)
    page = render_template(
        "alert_channels.html",
        channels=found,
        kinds=KINDS,
        rules=RULES,
        wrong=wrong or {},
        typed=request.form if wrong else {},
        chosen=request.form.getlist("rules") if wrong else [],
        mails=bool(services().settings.smtp_url),
    )
    return page, 422 if wrong else 200


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")  # which no limit is
