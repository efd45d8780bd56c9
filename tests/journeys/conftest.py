"""The cast of the journeys, in the live service's own database."""

from __future__ import annotations

import pytest

from tests import builders
from tests.conftest import Cast, Live
from vendorrisk.domain.roles import Role


@pytest.fixture
def cast_of(live: Live) -> Cast:
    """Petra, Adam and Audrey can sign in to the live service."""
    with live.database.writing() as session:
        return Cast(
            petra=builders.add_user(session),
            adam=builders.add_user(session, "adam@acme.example", name="Adam Reed", roles=[Role.ADMIN]),
            audrey=builders.add_user(session, "audrey@acme.example", name="Audrey Finch", roles=[Role.AUDITOR]),
        )
