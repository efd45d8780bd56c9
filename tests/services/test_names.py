"""How names, domains and addresses are compared."""

from __future__ import annotations

import pytest

from vendorrisk.domain.errors import InvalidAnswer
from vendorrisk.services.casework import names


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Northwind Mail Ltd.", "NORTHWIND  mail"),
        ("Müller & Söhne GmbH", "Muller and Sohne"),
        ("Fabbrica S.p.A.", "fabbrica"),
        ("Ｎｏｒｔｈｗｉｎｄ", "northwind"),
        ("Tailspin, Inc", "Tailspin LLC"),
    ],
)
def test_the_same_company_written_differently_is_recognised(one: str, other: str) -> None:
    assert names.same(one) == names.same(other)


@pytest.mark.parametrize(
    ("one", "other"), [("Northwind Mail", "Northwind Web"), ("Acme 1", "Acme 2"), ("北京", "上海")]
)
def test_different_companies_stay_apart(one: str, other: str) -> None:
    assert names.same(one) != names.same(other)


def test_a_name_of_nothing_but_legal_words_keeps_them() -> None:
    assert names.same("Limited Co") == "limited co"


def test_a_name_is_found_by_whole_words_and_beginnings_of_three_letters() -> None:
    found = names.prefixes("3M Northwind Ltd")
    assert {"3m", "nor", "northwin", "northwind", "ltd"} <= found
    assert not {"no", "orthwind"} & found


@pytest.mark.parametrize(
    ("typed", "host"),
    [
        ("northwind.example", "northwind.example"),
        ("https://WWW.Northwind.example/about", "northwind.example"),
        ("http://northwind.example:8080", "northwind.example"),
        ("bücher.example", "xn--bcher-kva.example"),
    ],
)
def test_a_web_address_gives_its_domain(typed: str, host: str) -> None:
    assert names.domain(names.website(typed)) == host


@pytest.mark.parametrize(
    "typed", ["northwind", "ftp://northwind.example", "https://", "a b", "x@y.example", "-.example"]
)
def test_what_is_no_web_address_is_refused_with_an_example(typed: str) -> None:
    with pytest.raises(InvalidAnswer, match="write it like"):
        names.website(typed)


@pytest.mark.parametrize(
    "typed", ["dana", "dana@@n.example", "dana@localhost", "a\x00b@n.example", "x" * 300 + "@n.example"]
)
def test_a_bad_address_is_refused(typed: str) -> None:
    with pytest.raises(InvalidAnswer):
        names.email(typed)


def test_a_name_with_what_cannot_be_kept_is_refused() -> None:
    with pytest.raises(InvalidAnswer, match=r"U\+0000"):
        names.name("North\x00wind")
    assert names.name("  North \n wind 🦊 ") == "North wind 🦊"
