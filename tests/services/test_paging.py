"""Pages of longer lists."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import builders
from vendorrisk.db.models import User
from vendorrisk.services import paging
from vendorrisk.services.paging import Page


@pytest.fixture
def people(session: Session) -> Session:
    """Seven accounts."""
    for number in range(7):
        builders.add_user(session, f"person{number}@acme.example")
    return session


@pytest.mark.parametrize(
    ("asked", "number", "emails", "first", "last"),
    [
        (1, 1, ["person0", "person1", "person2"], 1, 3),
        (3, 3, ["person6"], 7, 7),
        (99, 3, ["person6"], 7, 7),
        (0, 1, ["person0", "person1", "person2"], 1, 3),
    ],
)
def test_a_page_holds_its_part_and_knows_the_whole(
    people: Session, asked: int, number: int, emails: list[str], first: int, last: int
) -> None:
    page = paging.fetch(people, select(User).order_by(User.email), asked, size=3)
    assert [user.email.split("@")[0] for user in page.items] == emails
    assert (page.number, page.pages, page.total, page.first, page.last) == (number, 3, 7, first, last)
    assert page.has_previous == (number > 1)
    assert page.has_next == (number < 3)


def test_an_empty_list_has_one_empty_page(session: Session) -> None:
    page = paging.fetch(session, select(User).where(User.email == "nobody"), 5)
    assert (page.number, page.pages, page.total, page.first, page.last) == (1, 1, 0, 0, 0)
    assert not page.has_next
    assert not page.has_previous


def test_a_page_can_be_turned_into_what_is_shown() -> None:
    page = Page([1, 2], number=2, size=2, total=5).map(str)
    assert list(page.items) == ["1", "2"]
    assert (page.number, page.total, page.has_next) == (2, 5, True)


@pytest.mark.parametrize(
    ("typed", "number"),
    [(None, 1), ("", 1), ("3", 3), ("0", 1), ("-1", 1), ("x", 1), ("٣", 1), ("9" * 40, 1), ("1.5", 1)],
)
def test_whatever_is_typed_for_a_page_number_leads_somewhere(typed: str | None, number: int) -> None:
    assert paging.number_from(typed) == number
