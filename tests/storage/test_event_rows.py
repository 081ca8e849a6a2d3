"""An event is kept as it was told."""

from datetime import UTC, datetime

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from skan_receiver.mmp.event import (
    Att,
    Attribution,
    Device,
    Event,
    Kind,
    Person,
    Platform,
    Signals,
)
from skan_receiver.storage import Store, StoredEvent
from skan_receiver.storage.columns import table
from skan_receiver.storage.event_rows import event_of, row_of

texts = st.none() | st.text(
    st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20
)
flags = st.none() | st.booleans()
moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # bounds are naive by its contract
amounts = st.none() | st.decimals(-(10**9), 10**9, places=6)
events = st.builds(
    Event,
    provider=st.just("appsflyer"),
    event_id=st.uuids().map(str),
    kind=st.sampled_from(Kind),
    name=st.just("purchase"),
    at=moments,
    app_id=st.none() | st.integers(1, 2**63 - 1),
    platform=st.none() | st.sampled_from(Platform),
    revenue=amounts,
    currency=st.none() | st.just("EUR"),
    person=st.builds(Person, idfa=texts, gaid=texts, click_id=texts, ip=texts),
    attribution=st.builds(Attribution, is_attributed=flags, media_source=texts, ad_name=texts),
    signals=st.builds(Signals, att=st.none() | st.sampled_from(Att), gdpr_applies=flags),
    device=st.builds(Device, country=texts, model=texts),
    is_restricted=st.booleans(),
)


# Each input has a row of its own: a store for all of them will do.
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(event=events)
def test_an_event_comes_back_from_its_row(store: Store, event: Event) -> None:
    """Amounts to the last digit, absent things absent, on both stores."""
    row = {**row_of(event), "received_at": event.at, "connection": "api"}
    kept = table(StoredEvent)

    def work(connection):  # type: ignore[no-untyped-def]  # a closure for one statement
        (id_,) = connection.execute(kept.insert().values(**row)).inserted_primary_key[:1]
        found = connection.execute(select(kept).where(kept.c.id == id_)).one()
        connection.execute(kept.delete())
        return found

    assert event_of(store.write(work)) == event


def test_copies_have_one_identity() -> None:
    """And the same id from another teller is another event."""
    one = Event(provider="adjust", event_id="1", kind=Kind.EVENT, name="a", at=datetime.now(UTC))
    copy = Event(provider="adjust", event_id="1", kind=Kind.EVENT, name="b", at=datetime.now(UTC))
    other = Event(provider="branch", event_id="1", kind=Kind.EVENT, name="a", at=one.at)
    assert one.identity == copy.identity != other.identity
