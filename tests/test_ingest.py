"""What becomes of a body: stored, repeated, contradicted, kept for later, or turned away."""

from datetime import timedelta

import pytest

from skan_receiver.config import Settings
from skan_receiver.ingest import Incoming, Ingest
from skan_receiver.storage import (
    Arrival,
    Quarantined,
    Seen,
    Store,
    StoredPostback,
    Usage,
    retention,
)
from skan_receiver.testing import Signer
from tests.receiving import NOON, Receiver

ID = "6aafb7a5-0170-41b5-bbe4-fe71dedf1e28"


@pytest.fixture
def receiver(store: Store) -> Receiver:
    return Receiver(store)


def outcomes(results: object) -> list[str]:
    return [result.outcome.value for result in results]  # type: ignore[attr-defined]


def test_a_postback_is_stored_with_its_evidence(receiver: Receiver) -> None:
    """Any count can be proved again from the bytes, the signed text and the key's name."""
    body = receiver.signer.skadnetwork("4.0", conversion_value=20, country_code="US")
    (result,) = receiver.receive(body)
    (row,) = receiver.rows(StoredPostback)
    assert (result.outcome, result.verdict, result.stored_id) == ("stored", "valid", row.id)
    assert row.postback_id == body["transaction-id"]
    assert row.signed_message.split("\u2063".encode())[0] == b"4.0"
    assert row.key_id == "test/P-256"
    assert (row.fine_value, row.coarse_value, row.country) == (20, None, "US")
    assert row.received_at == receiver.now


@pytest.mark.parametrize("together", [True, False])
def test_the_same_postback_twice_is_one_row_and_two_arrivals(
    receiver: Receiver, *, together: bool
) -> None:
    """Devices repeat themselves; whether in one batch or a day apart, we store once."""
    body = receiver.signer.skadnetwork("4.0")
    if together:
        seen = outcomes(receiver.receive(body, body))
    else:
        seen = outcomes([*receiver.receive(body), *receiver.receive(body)])
    assert seen == ["stored", "duplicate"]
    assert len(receiver.rows(StoredPostback)) == 1
    assert [arrival.kind for arrival in receiver.rows(Arrival)] == ["standing", "duplicate"]


def test_ids_are_the_same_whatever_their_case(receiver: Receiver) -> None:
    """SKAdNetwork writes ids in lower case, AdAttributionKit in capitals; ids compare alike."""
    lower = receiver.signer.adattributionkit(postback_identifier=ID)
    upper = receiver.signer.adattributionkit(postback_identifier=ID.upper())
    assert outcomes(receiver.receive(lower, upper)) == ["stored", "collision"]


def test_a_changed_unsigned_value_is_a_conflict_and_the_first_stands(receiver: Receiver) -> None:
    """The value is signed by nobody: whoever replays a body may change it, so it is only shown."""
    body = receiver.signer.skadnetwork("4.0", conversion_value=20)
    changed = {**body, "conversion-value": 63}
    assert outcomes([*receiver.receive(body), *receiver.receive(changed)]) == ["stored", "conflict"]
    (row,) = receiver.rows(StoredPostback)
    assert row.fine_value == 20
    assert [(a.kind, a.fine_value) for a in receiver.rows(Arrival)] == [
        ("standing", 20),
        ("conflict", 63),
    ]
    assert b'"conversion-value":63' in receiver.rows(Arrival)[1].body


def test_absent_is_not_zero(receiver: Receiver) -> None:
    """A forwarder that writes 0 where Apple wrote nothing contradicts the postback."""
    body = receiver.signer.skadnetwork("4.0")
    filled = {**body, "conversion-value": 0}
    receiver.receive(body)
    assert outcomes(receiver.receive(filled)) == ["conflict"]
    assert receiver.rows(StoredPostback)[0].fine_value is None


def test_other_signed_fields_under_one_id_are_a_collision(receiver: Receiver) -> None:
    """Apple's own samples of 2.0 to 3.0 share one id: one row, and the others beside it."""
    bodies = [
        receiver.signer.skadnetwork(v, transaction_id=ID) for v in ("2.0", "2.1", "2.2", "3.0")
    ]
    assert outcomes(receiver.receive(*bodies)) == ["stored", *["collision"] * 3]
    assert outcomes(receiver.receive(*bodies)) == ["duplicate"] * 4
    first, *others = receiver.rows(StoredPostback)
    assert first.collides_with is None
    assert {row.collides_with for row in others} == {first.id}


def test_an_invalid_body_does_not_keep_the_valid_one_out(receiver: Receiver) -> None:
    """The verdict is part of the identity."""
    body = receiver.signer.skadnetwork("4.0", transaction_id=ID)
    forged = {**receiver.signer.skadnetwork("4.0", transaction_id=ID), "app-id": 1}
    assert outcomes(receiver.receive(forged, body)) == ["stored", "stored"]
    assert [row.verdict for row in receiver.rows(StoredPostback)] in (
        ["invalid", "valid"],
        ["valid", "invalid"],
    )


def test_windows_of_one_conversion_are_postbacks_of_their_own(receiver: Receiver) -> None:
    """It is not documented whether the three share an id, so the window tells them apart."""
    bodies = [
        receiver.signer.skadnetwork("4.0", transaction_id=ID, postback_sequence_index=window)
        for window in (0, 1, 2)
    ]
    assert outcomes(receiver.receive(*bodies)) == ["stored"] * 3


def test_a_copy_from_closer_to_apple_replaces_the_values(receiver: Receiver) -> None:
    """Network and developer copies come from the device; a forwarder may have changed one."""
    body = receiver.signer.skadnetwork("4.0", conversion_value=20)
    forwarded = {**body, "conversion-value": 5}
    receiver.receive(forwarded, endpoint="forwarded:appsflyer")
    assert outcomes(receiver.receive(body, endpoint="developer")) == ["conflict"]
    (row,) = receiver.rows(StoredPostback)
    assert (row.fine_value, row.endpoint) == (20, "developer")
    assert b'"conversion-value":20' in row.body
    kinds = [(a.endpoint, a.kind, a.fine_value) for a in receiver.rows(Arrival)]
    assert kinds == [("forwarded:appsflyer", "conflict", 5), ("developer", "standing", 20)]


def test_at_most_sixteen_arrivals_are_kept(receiver: Receiver) -> None:
    """A storm of copies costs a counter, not a table."""
    body = receiver.signer.skadnetwork("4.0")
    for _ in range(3):
        receiver.receive(*[body] * 10)
    assert len(receiver.rows(Arrival)) == 16
    assert [row.arrivals for row in receiver.rows(Seen)] == [30]


def test_what_a_forwarder_adds_counts_against_the_cap(store: Store) -> None:
    """A small body may come with a large text: the disk holds both."""
    ingest = Ingest(store, Settings(quarantine_bytes=1_000), Signer(seed=1).keys())
    long = Incoming(NOON, "forwarded:x", b'{"a": 1}', b"v" * 400, '{"b": "' + "é" * 200 + '"}')
    results = [ingest([long])[0].outcome for _ in range(2)]
    assert results == ["quarantined", "dropped"]
    (usage,) = Receiver(store).rows(Usage)
    assert (usage.rows, usage.bytes) == (1, 8 + 400 + 9 + 400)
    retention.drop_quarantined(store, NOON + timedelta(days=1))
    (usage,) = Receiver(store).rows(Usage)
    assert (usage.rows, usage.bytes) == (0, 0)


def test_ids_beyond_32_bits_are_stored(receiver: Receiver) -> None:
    """Apple's own sample has one."""
    receiver.receive(receiver.signer.adattributionkit(advertised_item_identifier=10738027756))
    assert receiver.rows(StoredPostback)[0].app_id == 10738027756


def test_what_cannot_be_read_is_kept_with_the_reason(receiver: Receiver) -> None:
    """A new version of Apple's loses nobody a postback: it waits for the upgrade."""
    results = receiver.receive(b'{"version": "5.0"}', b'{"version": "4.0", "app-id": "42"}')
    assert outcomes(results) == ["quarantined", "quarantined"]
    kept = receiver.rows(Quarantined)
    assert kept[0].member == "version"
    assert kept[0].body == b'{"version": "5.0"}'


def test_what_is_not_json_is_refused_alone(receiver: Receiver) -> None:
    """One bad body in a batch does not take the others with it."""
    body = receiver.signer.skadnetwork("4.0")
    results = receiver.receive(b"\x00", body, b'{"a":1,"a":2}')
    assert outcomes(results) == ["refused", "stored", "refused"]
    assert "a" in results[2].reason


def test_caps_bound_what_nobody_vouches_for(store: Store) -> None:
    """A flood of forgeries and garbage fills its share, never the disk; the genuine get through."""
    receiver = Receiver(store, Settings(invalid_rows=2, quarantine_rows=1))
    forged = [{**receiver.signer.skadnetwork("4.0"), "app-id": 1} for _ in range(4)]
    assert outcomes(receiver.receive(*forged)) == ["stored", "stored", "dropped", "dropped"]
    garbage = [b'{"a": 1}', b'{"b": 1}']
    assert outcomes(receiver.receive(*garbage)) == ["quarantined", "dropped"]
    assert outcomes(receiver.receive(receiver.signer.skadnetwork("4.0"))) == ["stored"]
    assert outcomes(receiver.receive({**receiver.signer.skadnetwork(), "app-id": 1})) == ["dropped"]
