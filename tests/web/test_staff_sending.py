"""From the intake to the request's status page: what petra sees on the way, and what she cannot do."""

from __future__ import annotations

import html
import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from tests import builders, staff_side
from tests.application import Clock
from tests.builders import NOW
from tests.cast import Cast, SignIn
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Assessment, Contact, Event, Invitation, Letter, Request, Vendor
from vendorrisk.domain.assessment import AssessmentStatus, RequestStatus, WorkState
from vendorrisk.library import shipped
from vendorrisk.services.casework import assessments, contacts
from vendorrisk.services.sending import invitations, requests
from vendorrisk.services.sending.requests import Sent

LINK = re.compile(r"http://127\.0\.0\.1:8000/q/[\w-]{40,}")


@pytest.fixture
def case(database: Database, cast: Cast) -> str:
    """A case of tier 2 that is ready to send."""
    with database.writing() as session:
        return staff_side.ready(session, cast.petra, harm_if_known="danger").reference


def _request(database: Database) -> Request:
    with database.reading() as session:
        return session.scalars(select(Request)).one()


def _choice(page: str) -> str:
    return str(re.findall(r'name="to"[^>]*value="([0-9a-f-]{36})"', page)[0])


def _defaults(petra: FlaskClient, url: str) -> dict[str, object]:
    """What the send page would send if nothing were touched."""
    page = petra.get(url).text
    ticked = re.findall(r'name="questionnaires" value="([^"]+)" checked', page)
    due = re.findall(r'name="due"[^>]*value="([^"]+)"', page)[0]
    return {"questionnaires": ticked, "to": _choice(page), "due": due, "code_required": "y"}


def test_the_whole_way_from_a_vendor_to_a_request(petra: FlaskClient, database: Database) -> None:
    vendor = builders.post(
        petra, "/vendors/new", {"name": "Kite", "contact_name": "Dana", "contact_email": "d@k.example"}
    ).location
    opened = builders.post(petra, f"{vendor}/assessments/new", {"service": "Card payments"})
    page = petra.get(opened.location, follow_redirects=True)
    assert "What we are buying" in page.text and "Intake, page 1 of 4" in page.text
    url = opened.location
    for number, section in enumerate(shipped.load().questionnaires["intake"].sections, start=1):
        form = {f"q-{q.id}": q.options[0].code for q in section.questions if q.factor}
        seen = re.findall(r'name="seen" value="(\w+)"', petra.get(f"{url}/{number}").text)[0]
        answer = builders.post(petra, f"{url}/{number}", form | {"seen": seen})
        assert answer.status_code == 303, answer.text
    assert answer.location.endswith("/intake/result")
    result = petra.get(answer.location).text
    assert "Tier 4 because" in result and "Go on to sending" in result
    send_url = answer.location.replace("/intake/result", "/send")
    sent = builders.post(petra, send_url, _defaults(petra, send_url))
    assert sent.status_code == 303 and sent.location.startswith("/requests/R-")
    assert _request(database).code_required is True


def test_sending_shows_the_link_once_and_stores_it_nowhere(petra: FlaskClient, database: Database, case: str) -> None:
    url = f"/assessments/{case}/send"
    sent = builders.post(petra, url, _defaults(petra, url))
    first = petra.get(sent.location)
    (link,) = set(LINK.findall(first.text))
    with database.reading() as session:
        assert invitations.find(session, link.rpartition("/")[2], now=NOW) is not None
    assert not LINK.findall(petra.get(sent.location).text)
    assert link.rpartition("/")[2] not in str(sent.headers)


def test_the_link_is_not_shown_in_another_browser(petra: FlaskClient, adam: FlaskClient, case: str) -> None:
    url = f"/assessments/{case}/send"
    sent = builders.post(petra, url, _defaults(petra, url))
    assert not LINK.findall(adam.get(sent.location).text)


def test_a_second_press_leads_to_the_same_request(petra: FlaskClient, database: Database, case: str) -> None:
    url = f"/assessments/{case}/send"
    form = _defaults(petra, url)
    first, second = builders.post(petra, url, form), builders.post(petra, url, form)
    assert second.status_code == 303 and first.location == second.location
    assert _request(database).reference in first.location


def test_the_send_page_has_defaults_preflight_and_the_letter(petra: FlaskClient, case: str) -> None:
    page = html.unescape(petra.get(f"/assessments/{case}/send").text)
    assert 'value="2026-07-14"' in page, "two weeks from now, a Tuesday"
    assert re.findall(r'name="questionnaires" value="([^"]+)" checked', page) == list(staff_side.ASKED)
    assert "Complete: tier 2." in page and "In tiers 1 and 2 a code is always mailed" in page
    assert 'name="code_required"' not in page
    assert "the-link-is-made-when-you-send" in page and "Victor Lang" in page and "Send now" in page


def test_an_unfinished_intake_stops_the_sending_and_says_where_to_go(petra: FlaskClient, database: Database) -> None:
    with database.writing() as session:
        vendor = builders.add_vendor(session)
        builders.add_contact(session, vendor)
        reference = builders.add_assessment(session, vendor).reference
    url = f"/assessments/{reference}/send"
    page = petra.get(url).text
    assert "Finish the intake" in page and "Send now" not in page
    assert builders.post(petra, url, _defaults(petra, url)).status_code == 422
    with database.reading() as session:
        assert session.scalars(select(Request)).all() == []


def test_an_admin_cannot_switch_the_code_off_in_a_high_tier(adam: FlaskClient, database: Database, case: str) -> None:
    url = f"/assessments/{case}/send"
    form = _defaults(adam, url)
    del form["code_required"]
    builders.post(adam, url, form)
    assert _request(database).code_required is True


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"questionnaires": []}, "Choose at least one questionnaire."),
        ({"questionnaires": ["nonsense"]}, "nonsense"),
        ({"due": "soon"}, "is not a date"),
        ({"due": "2026-07"}, "with its day"),
        ({"due": "2026-06-29"}, "in the future"),
        ({"due": "2031-01-01"}, "within a year"),
        ({"to": "new"}, "Enter the name of the person"),
        ({"to": "new", "new_name": "Sam", "new_email": "sam@"}, "is not an e-mail address"),
        ({"to": "00000000-0000-0000-0000-000000000000"}, "Not a valid choice"),
        ({"note": "x" * 2001}, "the most is 2,000"),
    ],
)
def test_bad_input_sends_nothing_and_keeps_the_rest(
    petra: FlaskClient, database: Database, case: str, change: dict[str, object], message: str
) -> None:
    url = f"/assessments/{case}/send"
    answer = builders.post(petra, url, _defaults(petra, url) | {"note": "Kept note"} | change)
    assert answer.status_code == 422
    assert message in html.unescape(answer.text) and "There is a problem" in answer.text
    assert "Kept note" in answer.text or "note" in change
    with database.reading() as session:
        assert session.scalars(select(Request)).all() == [] and session.scalars(select(Letter)).all() == []


def test_somebody_new_becomes_a_contact_and_gets_the_letter(petra: FlaskClient, database: Database, case: str) -> None:
    url = f"/assessments/{case}/send"
    form = _defaults(petra, url) | {"to": "new", "new_name": "Sam Ode", "new_email": "sam@kite.example"}
    page = petra.get(builders.post(petra, url, form).location).text
    assert "Sam Ode, sam@kite.example" in page
    with database.reading() as session:
        people = contacts.of_vendor(session, _request(database).vendor_id)
    assert [person.name for person in people] == ["Victor Lang", "Sam Ode"]


def test_the_preview_follows_what_was_typed_and_sends_nothing(
    petra: FlaskClient, database: Database, case: str
) -> None:
    url = f"/assessments/{case}/send"
    form = _defaults(petra, url) | {"note": "Mind the gap <b>", "due": "3 August 2026", "then": "preview"}
    answer = builders.post(petra, url, form)
    letter = html.unescape(answer.text.partition('<pre class="letter"')[2])
    assert answer.status_code == 200 and "Mind the gap <b>" in letter and "3 August 2026" in letter
    with database.reading() as session:
        assert session.scalars(select(Request)).all() == []


def _sent(database: Database, cast: Cast, case: str) -> Sent:
    with database.writing() as session:
        row = session.scalars(select(Assessment).where(Assessment.reference == case)).one()
        return staff_side.send(session, row, cast.petra)


def test_a_letter_is_never_called_sent_before_the_mail_server_took_it(
    petra: FlaskClient, database: Database, cast: Cast, case: str
) -> None:
    sent = _sent(database, cast, case)
    url = f"/requests/{sent.request.reference}"
    waiting = petra.get(url).text
    assert "Waiting to be sent" in waiting and "Taken by the mail server" not in waiting
    with database.writing() as session:
        letter = session.scalars(select(Letter)).one()
        letter.state, letter.sent_at = WorkState.DONE, NOW
    assert "Taken by the mail server" in petra.get(url).text


def test_an_undelivered_letter_is_said_everywhere_and_can_be_tried_again(
    petra: FlaskClient, database: Database, cast: Cast, case: str
) -> None:
    sent = _sent(database, cast, case)
    with database.writing() as session:
        staff_side.refuse_letters(session, sent, "550 5.1.1 no such mailbox")
    url = f"/requests/{sent.request.reference}"
    for path in (url, "/work"):
        assert "550 5.1.1 no such mailbox" in petra.get(path).text, path
    assert "Letters not delivered" in petra.get("/home").text
    assert "Letter not delivered" in petra.get("/assessments").text
    assert "The invitation was not delivered." in petra.get(f"/assessments/{case}").text
    with database.reading() as session:
        letter_id = session.scalars(select(Letter.id)).one()
    answer = builders.post(petra, f"/letters/{letter_id}/retry", page="/work")
    assert answer.status_code == 303 and answer.location == url
    assert "Waiting to be sent" in petra.get(url).text
    assert "Nothing is stuck" in petra.get("/work").text


def test_a_fresh_link_goes_to_another_person_and_is_shown_once(
    petra: FlaskClient, database: Database, cast: Cast, case: str
) -> None:
    sent = _sent(database, cast, case)
    url = f"/requests/{sent.request.reference}"
    form = {"to": "new", "new_name": "Sam", "new_email": "sam@kite.example"}
    answer = builders.post(petra, f"{url}/link", form)
    page = petra.get(answer.location).text
    assert answer.status_code == 303 and LINK.findall(page) and "sam@kite.example" in page
    with database.reading() as session:
        assert invitations.find(session, sent.link.rpartition("/")[2], now=NOW) is None


def test_withdrawing_asks_first(petra: FlaskClient, database: Database, cast: Cast, case: str) -> None:
    url = f"/requests/{_sent(database, cast, case).request.reference}"
    assert "Withdraw the request" in petra.get(f"{url}/withdraw").text
    assert "Not opened yet" in petra.get(url).text, "looking changes nothing"
    answer = builders.post(petra, f"{url}/withdraw")
    assert answer.location == f"/assessments/{case}"
    assert "Send questionnaires" in petra.get(answer.location).text and "Withdrawn" in petra.get(url).text
    assert petra.get(f"{url}/withdraw").status_code == 409
    assert petra.get(f"{url}/link").status_code == 409


def test_the_status_page_tells_progress_and_lateness(
    petra: FlaskClient, database: Database, cast: Cast, case: str, clock: Clock, sign_in: SignIn
) -> None:
    sent = _sent(database, cast, case)
    with database.writing() as session:
        row = requests.get(session, sent.request.reference)[0]
        row.answered, row.opened_at, row.status = 5, NOW, RequestStatus.OPEN
    clock.advance(days=17)
    page = sign_in(cast.petra).get(f"/requests/{sent.request.reference}").text
    assert "5 of " in page and "Overdue" in page and "Opened by somebody at the vendor" in page
    assert "Being answered" in page


def test_an_intake_page_refuses_what_cannot_be_and_keeps_the_rest(petra: FlaskClient, database: Database) -> None:
    with database.writing() as session:
        reference = builders.add_assessment(session, builders.add_vendor(session)).reference
    url = f"/assessments/{reference}/intake/1"
    form = {"q-contract_terms": "About <EUR> 48,000", "q-laws_in_play": ["none", "gdpr"], "q-our_contacts-unknown": "1"}
    answer = builders.post(petra, url, form)
    assert answer.status_code == 422 and "IN-18" in answer.text
    assert "About &lt;EUR&gt; 48,000" in answer.text and "<title>Error: " in answer.text
    assert 'name="q-our_contacts-unknown" id="q-our_contacts-unknown" value="1" checked' in answer.text


def test_two_people_on_one_intake_page_are_told(petra: FlaskClient, adam: FlaskClient, database: Database) -> None:
    with database.writing() as session:
        reference = builders.add_assessment(session, builders.add_vendor(session)).reference
    url = f"/assessments/{reference}/intake/1"
    seen = re.findall(r'name="seen" value="(\w+)"', adam.get(url).text)[0]
    assert builders.post(petra, url, {"q-contract_terms": "Petra's", "seen": seen}).status_code == 303
    answer = builders.post(adam, url, {"q-contract_terms": "Adam's", "seen": seen})
    assert answer.status_code == 409
    assert "Adam&#39;s" in answer.text and "Somebody else saved this page" in answer.text
    again = re.findall(r'name="seen" value="(\w+)"', answer.text)[0]
    assert builders.post(adam, url, {"q-contract_terms": "Adam's", "seen": again}).status_code == 303


def test_the_intake_is_closed_once_it_was_sent(petra: FlaskClient, database: Database, cast: Cast, case: str) -> None:
    page = petra.get(f"/assessments/{case}/intake/1")
    token = builders.token_in(page)
    _sent(database, cast, case)
    answer = petra.get(f"/assessments/{case}/intake/1")
    assert answer.status_code == 303 and answer.location.endswith("/result")
    assert petra.post(f"/assessments/{case}/intake/1", data={"csrf_token": token}).status_code == 409
    with database.reading() as session:
        assert session.scalars(select(Assessment.status)).one() is AssessmentStatus.SENT


def test_looking_changes_nothing(petra: FlaskClient, database: Database, cast: Cast, case: str) -> None:
    sent = _sent(database, cast, case).request.reference
    with database.writing() as session:
        ready = staff_side.ready(session, cast.petra, "Kite").reference
        vendor = assessments.get(session, ready)[1].reference

    def stored() -> list[object]:
        with database.reading() as session:
            tables = (Vendor, Contact, Assessment, Request, Invitation, Letter, Event)
            counts = [session.scalar(select(func.count()).select_from(table)) for table in tables]
            rows = session.execute(select(Assessment.version, Assessment.active_at, Assessment.status)).all()
            return [*counts, *(tuple(row) for row in rows)]

    before = stored()
    paths = [f"/assessments/{ready}{path}" for path in ("", "/intake", "/intake/2", "/intake/result", "/send")]
    paths += [f"/requests/{sent}{path}" for path in ("", "/link", "/withdraw")]
    paths += [f"/vendors/{vendor}{path}" for path in ("", "/edit", "/contacts/new", "/assessments/new")]
    for path in (*paths, "/vendors/new", "/work"):
        assert petra.get(path).status_code in (200, 303)
        assert petra.head(path).status_code in (200, 303), "a HEAD is a GET without a body, never a POST"
    assert stored() == before
