"""One signer for all: making keys is the slow part, and they are never changed."""

import pytest

from skan_receiver.protocol import Keys
from skan_receiver.testing import Signer


@pytest.fixture(scope="session")
def signer() -> Signer:
    return Signer(seed=1)


@pytest.fixture(scope="session")
def keys(signer: Signer) -> Keys:
    """Apple's keys, and the signer's as good as Apple's."""
    return signer.keys(production=True)
