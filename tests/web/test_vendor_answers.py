"""Answering: autosave with versions and conflicts, whole sections without JavaScript, hidden answers, odd texts."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests import builders, statements
from tests.databases import ON_SQLITE
from tests.web import vendor_visits as visits
from tests.web.vendor_visits import Visit
from vendorrisk.db.engine import Database
from vendorrisk.domain.assessment import RequestStatus
from vendorrisk.library import loader, shipped
from vendorrisk.services import copies
from vendorrisk.services.answering import answer_rows
from vendorrisk.services.answering.answers import StoredAnswer

SECTION = "/sections/follow-up/remote_work"
ALL_TYPES = ("choices", "table", "number", "date", "text", "long_text", "declaration", "file")


@pytest.fixture
def token(database: Database) -> str:
    with database.writing() as session:
        return builders.add_link(session, builders.add_request(session))


@pytest.fixture
def victor(app: Flask, database: Database, token: str) -> Visit:
    """Victor's browser, past Start."""
    return visits.enter(app, database, token)


@pytest.fixture
def priya(app: Flask, database: Database, token: str, victor: Visit) -> Visit:
    """Victor's colleague, with a browser of her own."""
    return visits.enter(app, database, token, name="Priya Rao")


@pytest.fixture
def all_types(app: Flask, database: Database) -> Visit:
    """A request with a question of nearly every type."""
    asked = [loader.load(shipped.FOLDER / "examples" / f"{name}.yaml") for name in ALL_TYPES]
    with database.writing() as session:
        return_token = builders.add_link(session, builders.add_request(session, questionnaires=asked))
    return visits.enter(app, database, return_token)


def stored(database: Database, visit: Visit) -> dict[str, StoredAnswer]:
    request = visits.request_of(database, visit.reference)
    with database.reading() as session:
        questions = copies.questions_by_id(copies.questionnaires(session, request.copies))
        return answer_rows.load(session, request, questions)


def section(visit: Visit, page: str = SECTION) -> dict[str, list[str]]:
    """The fields of a section's form, as a browser without scripts would send them untouched."""
    return visits.fields_of(visit.get(page))


def send(visit: Visit, changes: dict[str, str], page: str = SECTION) -> TestResponse:
    fields: dict[str, list[str] | str] = {**section(visit, page), **changes}
    return visit.browser.post(visit.url(page), data=fields)


def test_each_save_is_one_version(victor: Visit, database: Database) -> None:
    first = victor.save("remote_access", value="no")
    assert first.status_code == 200
    assert first.json is not None
    assert (first.json["version"], first.json["state"], first.json["saved_at"]) == (1, "answered", "10:00")
    second = victor.save("remote_access", value="own", version=1)
    assert second.json is not None
    assert second.json["version"] == 2
    assert stored(database, victor)["remote_access"].value == "own"


def test_a_save_tells_what_is_visible_and_how_far_it_is(victor: Visit, database: Database) -> None:
    answer = victor.save("remote_access", value="own").json
    assert answer is not None
    assert answer["visible"] == ["remote_access", "own_devices_checked", "remote_access_logged"]
    assert (answer["answered"], answer["total"]) == (1, 3)
    assert answer["next"] == {"code": "EX-14", "url": victor.url(f"{SECTION}#q-own_devices_checked-question")}
    answer = victor.save("remote_access", value="no", version=1).json
    assert answer is not None
    assert (answer["visible"], answer["next"]) == (["remote_access"], None)
    request = visits.request_of(database, victor.reference)
    assert (request.answered, request.visible, request.last_saved_at) == (1, 1, builders.NOW)


def test_an_old_version_is_a_conflict_with_both_texts_and_changes_nothing(
    victor: Visit, priya: Visit, database: Database
) -> None:
    priya.save("remote_access", value="no", comment="Policy 7 forbids it")
    answer = victor.save("remote_access", value="own")
    assert answer.status_code == 409
    assert answer.json is not None
    assert answer.json["theirs"] == "No\nComment: Policy 7 forbids it"
    assert answer.json["mine"] == "Yes, with their own devices"
    assert (answer.json["by"], answer.json["version"]) == ("Priya Rao", 1)
    assert "Saved by Priya Rao at 10:00" in answer.json["card"]
    assert stored(database, victor)["remote_access"].value == "no"


@pytest.mark.parametrize(
    ("keep", "value", "comment"),
    [
        ("theirs", "no", ""),
        ("mine", "own", ""),
        ("both", "no", "Victor Lang would answer: Yes, with their own devices"),
    ],
)
def test_a_conflict_is_settled_by_choosing(
    victor: Visit, priya: Visit, database: Database, keep: str, value: str, comment: str
) -> None:
    priya.save("remote_access", value="no")
    answer = victor.save("remote_access", value="own", keep=keep, version=1)
    assert answer.status_code == 200
    assert answer.json is not None
    assert 'data-question="remote_access"' in answer.json["html"]
    now = stored(database, victor)["remote_access"]
    assert (now.value, now.said.comment) == (value, comment)


def test_the_same_answer_from_two_people_is_no_conflict(victor: Visit, priya: Visit, database: Database) -> None:
    priya.save("remote_access", value="no")
    answer = victor.save("remote_access", value="no")
    assert answer.status_code == 200
    assert stored(database, victor)["remote_access"].version == 1


def test_not_applicable_needs_a_reason(victor: Visit, database: Database) -> None:
    answer = victor.save("remote_access", na="1", na_reason="No offices.")
    assert answer.status_code == 422
    assert answer.json == {
        "message": "Say in at least 15 characters why this does not apply to you.", "at": "q-remote_access-na-reason"
    }  # fmt: skip
    assert victor.save("remote_access", na="1", na_reason="We have no staff at all.").status_code == 200
    assert stored(database, victor)["remote_access"].said.not_applicable == "We have no staff at all."


def test_do_not_know_is_an_answer_of_its_own(victor: Visit, database: Database) -> None:
    answer = victor.save("remote_access", unknown="1")
    assert answer.json is not None
    assert answer.json["state"] == "do not know"
    assert stored(database, victor)["remote_access"].said.unknown
    both = victor.save("remote_access", unknown="1", na="1", na_reason="We have no staff at all.", version=1)
    assert both.status_code == 422


def test_a_hidden_answer_is_kept_ignored_and_comes_back(victor: Visit, database: Database) -> None:
    victor.save("remote_access", value="own")
    victor.save("own_devices_checked", value="yes", comment="By the sign-in")
    victor.save("remote_access", value="no", version=1)
    assert stored(database, victor)["own_devices_checked"].value == "yes"
    check = victor.get("/check")
    assert "1 hidden answer will not be sent" in visits.text_of(check)
    assert "By the sign-in" not in check.text
    victor.save("remote_access", value="own", version=2)
    assert "By the sign-in" in victor.get("/check").text


def test_a_whole_section_is_saved_without_javascript(victor: Visit, database: Database) -> None:
    given = {"q-remote_access": "own", "q-own_devices_checked": "no", "q-remote_access-comment": "Laptops"}
    answer = send(victor, given)
    assert answer.status_code == 303
    assert answer.location == victor.url("/check")
    now = stored(database, victor)
    assert {name: one.value for name, one in now.items()} == {"remote_access": "own", "own_devices_checked": "no"}
    assert now["remote_access"].said.comment == "Laptops"
    again = send(victor, {"then": "sections"})
    assert again.location == victor.url()
    assert {one.version for one in stored(database, victor).values()} == {1}


def test_good_answers_are_saved_and_bad_ones_shown_as_they_were_typed(victor: Visit, database: Database) -> None:
    changes = {"q-remote_access": "no", "q-remote_access_logged-na": "1", "q-remote_access_logged-na-reason": "No <b>"}
    answer = send(victor, changes)
    assert answer.status_code == 422
    assert "<title>Error: " in answer.text
    assert 'href="#q-remote_access_logged-na-reason"' in answer.text
    assert 'value="No &lt;b&gt;"' in answer.text
    assert stored(database, victor)["remote_access"].value == "no"


def test_without_javascript_a_conflict_shows_both_and_an_untouched_field_overwrites_nothing(
    victor: Visit, priya: Visit, database: Database
) -> None:
    shown = section(victor)
    priya.save("remote_access", value="no")
    priya.save("remote_access_logged", value="yes")
    answer = victor.browser.post(victor.url(SECTION), data={**shown, "q-remote_access": "own"})
    assert answer.status_code == 409
    assert "Saved by Priya Rao" in answer.text
    now = stored(database, victor)
    assert (now["remote_access"].value, now["remote_access_logged"].value) == ("no", "yes")


def test_follow_ups_say_when_they_are_asked(victor: Visit) -> None:
    page = victor.get(SECTION).text
    assert "Answer if EX-13 is “Yes, with their own devices”." in page
    first, second = page.index("EX-13</span>"), page.index("EX-14</span>")
    assert first < second
    assert page.count("data-off") == 2


def test_every_type_is_drawn_saved_and_drawn_again(all_types: Visit, database: Database) -> None:
    pages = sorted(set(re.findall(r'href="(/respond/[^"]+/sections/[^"#]+)', all_types.get().text)))
    assert len(pages) == len(ALL_TYPES)
    for page in pages:
        assert all_types.browser.get(page).status_code == 200
    typed: dict[str, dict[str, str]] = {
        "number": {"value": "12"}, "date": {"value": "May 2024"}, "text": {"value": "Ada"},
        "long_text": {"value": "a\nb"},
        "declaration": {"value": "yes", "name": "Ada Byron", "role": "CEO"},
    }  # fmt: skip
    for kind, fields in typed.items():
        name = _first_question(database, all_types, kind)
        assert all_types.save(name, **fields).status_code == 200, kind
    shown = visits.text_of(all_types.get("/check"))
    for words in ("12", "2024-05", "Ada", "a b", "Signed: Ada Byron, CEO"):
        assert words in shown


def _first_question(database: Database, visit: Visit, kind: str) -> str:
    request = visits.request_of(database, visit.reference)
    with database.reading() as session:
        asked = copies.questionnaires(session, request.copies)
    return next(question.id for one in asked for question in one if question.type.value == kind)


def test_a_table_is_saved_row_by_row(all_types: Visit, database: Database) -> None:
    name = _first_question(database, all_types, "table")
    request = visits.request_of(database, all_types.reference)
    with database.reading() as session:
        question = copies.questions_by_id(copies.questionnaires(session, request.copies))[name]
    column = next(c for c in question.columns if c.type.value in ("text", "long_text"))
    fields = {"rows": "3", f"0-{column.id}": "First", f"2-{column.id}": "Third", "complete": "1"}
    assert all_types.save(name, **fields).status_code == 200
    page = next(p for p in _pages(all_types) if f'data-question="{name}"' in all_types.browser.get(p).text)
    text = all_types.browser.get(page).text
    assert text.count("data-row>") == 3
    removed = {**section(all_types, page.removeprefix(all_types.url())), "rows": f"{name}:remove:0"}
    removed |= {f"q-{name}-0-{column.id}": "First", f"q-{name}-1-{column.id}": "Third"}
    answer = all_types.browser.post(page, data=removed)
    assert answer.location == f"{page}#q-{name}-question"
    value = stored(database, all_types)[name].value
    assert [row[column.id] for row in value.rows] == ["Third"]  # type: ignore[union-attr]


def _pages(visit: Visit) -> list[str]:
    return sorted(set(re.findall(r'href="(/respond/[^"]+/sections/[^"#]+)', visit.get().text)))


ODD = [
    "👩‍👩‍👧 family", "שלום עולם", "e\u0301 combining", "<script>alert(1)</script>", "{{ 7 * 7 }} {% raw %}",
    "=cmd|' /C calc'!A0", "x" * 5_000, "line\r\nline", "‮override", "\u200bzero width",
]  # fmt: skip


@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
def test_odd_text_is_kept_as_it_is_and_never_markup(all_types: Visit, database: Database, text: str) -> None:
    name = _first_question(database, all_types, "long_text")
    answer = all_types.save(name, value=text)
    assert answer.status_code == 200, answer.json
    assert stored(database, all_types)[name].value == text.replace("\r\n", "\n")
    shown = all_types.get("/check").text
    assert "<script>alert" not in shown
    assert "49 " not in visits.text_of(all_types.get("/check")) or "7 * 7" in shown


@pytest.mark.parametrize("text", ["a\0b", "bell\x07", "x" * 20_001])
def test_text_that_cannot_be_kept_is_refused_with_a_reason(all_types: Visit, database: Database, text: str) -> None:
    name = _first_question(database, all_types, "long_text")
    answer = all_types.save(name, value=text)
    assert answer.status_code == 422
    assert answer.json is not None
    assert "character" in answer.json["message"]
    assert name not in stored(database, all_types)


def test_a_question_of_another_request_is_not_found(victor: Visit) -> None:
    assert victor.save("no_such_question", value="yes").status_code == 404
    assert victor.get("/sections/follow-up/elsewhere").status_code == 404


def test_nothing_changes_after_the_request_was_withdrawn(victor: Visit, database: Database) -> None:
    csrf = builders.token_in(victor.get("/start"))
    with database.writing() as session:
        request = session.merge(visits.request_of(database, victor.reference))
        request.status, request.withdrawn_at = RequestStatus.WITHDRAWN, builders.NOW
    data = {"q-remote_access": "no", "q-remote_access-version": "0", "csrf_token": csrf}
    answer = victor.browser.post(victor.url("/answers/remote_access"), data=data)
    assert answer.status_code == 409
    assert "This request was withdrawn" in victor.browser.get(victor.url(), follow_redirects=True).text


def test_answers_wait_until_somebody_has_said_who_they_are(app: Flask, database: Database, token: str) -> None:
    visit = visits.enter(app, database, token, started=False)
    assert visit.get(SECTION).location == visit.url("/start")
    bad = visit.post("/start", {"name": " ", "role": ""})
    assert bad.status_code == 422
    assert "Enter your name." in bad.text


@ON_SQLITE
def test_the_number_of_queries_does_not_grow_with_the_section(app: Flask, database: Database) -> None:
    counts = []
    for asked in ([builders.tiny()], [shipped.load().questionnaires["breach-history"]]):
        with database.writing() as session:
            token = builders.add_link(session, builders.add_request(session, questionnaires=asked))
        visit = visits.enter(app, database, token)
        page = _pages(visit)[0]
        visit.browser.get(page)
        with statements.reaching_the_driver(database) as seen:
            answer = visit.browser.get(page)
        counts.append(len(seen))
        assert len(answer.data) < 60_000
    assert counts[0] == counts[1] <= 4
