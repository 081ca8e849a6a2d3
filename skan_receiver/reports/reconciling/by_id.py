"""Postback by postback: each line of theirs finds ours, or a reason why not; and each of ours."""

from collections.abc import Iterator, Sequence

from skan_receiver.mmp.statements.line import INVALID, LOST, REDOWNLOAD, REENGAGEMENT
from skan_receiver.reports.reconciling.reasons import INSTALL, Reason
from skan_receiver.reports.reconciling.sides import Claim, Held, View
from skan_receiver.reports.reconciling.waterfall import Waterfall

# What they themselves say is no install.
LABELS = {
    REDOWNLOAD: Reason.REDOWNLOADS,
    REENGAGEMENT: Reason.REENGAGEMENTS,
    LOST: Reason.LOST,
    INVALID: Reason.INVALID,
}

Pair = tuple[Claim, Held | Reason]


def compare(
    view: View, claims: Sequence[Claim], helds: Sequence[Held], waterfall: Waterfall
) -> None:
    """Account for all lines and postbacks of one id. Lines are of one postback each."""
    free = sorted(helds, key=lambda held: (held.window, held.standing is not INSTALL))
    for claim, found in _paired(claims, free):
        if isinstance(found, Reason):
            key, example = view.claimed(claim), claim.postback_id or ""
            waterfall.they_count(key, claim.count)
            waterfall.because(found, key, -claim.count, example)
        else:
            _both(view, claim, found, waterfall)
    for held in free:
        if held.standing is INSTALL and (key := view.held(held)) is not None:
            waterfall.we_count(key, 1)
            waterfall.because(view.why_missing(held), key, 1, held.postback_id)


def _paired(claims: Sequence[Claim], free: list[Held]) -> Iterator[Pair]:
    """Each line with the postback it is of, which is taken out of `free`; or why there is none.

    Those that name their window choose first: the others may be of any.
    """
    windows = {held.window for held in free}
    for claim in sorted(claims, key=lambda claim: claim.window is None):
        held = next((one for one in free if claim.window in (None, one.window)), None)
        if held is not None:
            free.remove(held)
            yield claim, held
        elif claim.window in windows or (claim.window is None and windows):
            yield claim, Reason.DUPLICATES
        else:
            yield claim, label(claim) or Reason.NEVER_ARRIVED


def label(claim: Claim) -> Reason | None:
    """Why a line is no install by its own words; None where it is one."""
    return LABELS.get(claim.kind) or (Reason.LATER_WINDOWS if claim.window else None)


def _both(view: View, claim: Claim, held: Held, waterfall: Waterfall) -> None:
    """Both have it: as an install of the same group, or the reason why not."""
    network = claim.ad_network_id
    theirs = view.claimed(claim)
    waterfall.they_count(theirs, claim.count)
    if held.standing is not INSTALL:
        waterfall.because(held.standing, theirs, -claim.count, held.postback_id)
        return
    ours = view.held(held)
    waterfall.we_count(ours, 1)
    if ours == theirs:
        return
    same = (claim.app_id, network) == (held.app_id, view.terms.network(held.ad_network_id))
    reason = view.why_dated(claim, held) if same else Reason.ELSEWHERE
    waterfall.because(reason, theirs, -claim.count, held.postback_id)
    waterfall.because(reason, ours, 1, held.postback_id)
