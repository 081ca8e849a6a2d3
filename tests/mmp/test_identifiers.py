"""Which identifiers are any."""

from skan_receiver.mmp.providers.values import person, said


def identifier(told: str) -> str | None:
    """As a provider reads it."""
    found = said(told)
    return None if found is None else person(found)


def test_a_phone_that_gives_no_identifier_has_none() -> None:
    """Zeros are what iOS says instead: nobody's id, and everybody's."""
    assert identifier("00000000-0000-0000-0000-000000000000") is None
    assert identifier("  ") is None
    assert identifier("A7071198-3848-40A5-B3D0-94578D9B0000") is not None
