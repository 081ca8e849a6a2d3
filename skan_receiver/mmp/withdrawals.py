"""What a rejected install or a refund takes back, whichever of the two came first."""

from datetime import timedelta

from skan_receiver.mmp.event import Event, Kind

WITHDRAWALS = {Kind.REJECTED, Kind.REFUND}
INSTALLS = {Kind.INSTALL, Kind.REINSTALL, Kind.REENGAGEMENT}

# By any of these a device is known again; each has an index.
BY = ("idfa", "idfv", "gaid", "customer_user_id", "mmp_user_id")

# Two tellings of one install give the same time, but for how finely it is told.
SAME_INSTALL = timedelta(minutes=1)
# Where one of them does not say when: fraud is found within a month of the install.
SOON = timedelta(days=30)


def takes_back(what: Event, of: Event) -> bool:
    """Whether `what` takes back what `of` told.

    1. Another teller's it cannot.
    2. By the id of the event; or else
    3. a refund by the order; or else
    4. a rejected install by device and install. A rejection names the media source whose claim
       was refused: the install may well stand, given to another.
    """
    if what.kind not in WITHDRAWALS or of.kind in WITHDRAWALS or what.provider != of.provider:
        return False
    if what.withdraws is not None:
        return what.withdraws == of.event_id and _wholly(what, of)
    if what.kind is Kind.REFUND:
        named = what.order_id is not None and what.order_id == of.order_id
        return named and of.kind is Kind.EVENT and _wholly(what, of)
    return (
        of.kind in INSTALLS
        and _same(what.app_id, of.app_id)
        and _same(what.bundle_id, of.bundle_id)
        and _same(what.attribution.media_source, of.attribution.media_source)
        and _same_device(what, of)
        and _one_install(what, of)
    )


def _wholly(what: Event, of: Event) -> bool:
    """Whether all of the money goes back. A part of it leaves the purchase standing: its amount
    is below nothing, so that sums come out right."""
    if what.kind is not Kind.REFUND or what.revenue is None or of.revenue is None:
        return True
    return _same(what.currency, of.currency) and -what.revenue >= of.revenue


def _same(one: object, other: object) -> bool:
    return one is None or other is None or one == other


def _same_device(what: Event, of: Event) -> bool:
    ours, theirs = what.person.named(), of.person.named()
    return any(name in ours and ours[name] == theirs.get(name) for name in BY)


def _one_install(what: Event, of: Event) -> bool:
    if what.installed_at is not None and of.installed_at is not None:
        return abs(what.installed_at - of.installed_at) <= SAME_INSTALL
    return abs(what.at - of.at) <= SOON
