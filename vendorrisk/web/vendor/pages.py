"""What the pages with questions show: places in the request, sections with their counts, questions as controls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import quote
from zoneinfo import ZoneInfo

from flask import url_for

from vendorrisk.domain import conditions
from vendorrisk.domain.errors import NotFound
from vendorrisk.domain.progress import SectionProgress
from vendorrisk.domain.questionnaire import Question, Questionnaire, Section
from vendorrisk.services.answering.evidence import FileView
from vendorrisk.services.answering.responses import Draft
from vendorrisk.services.answering.seats import Writer
from vendorrisk.services.answering.sittings import Look
from vendorrisk.web import question_forms
from vendorrisk.web.question_forms import Control


class Place(NamedTuple):
    """One section: where it stands among all of the request, and how far it is."""

    number: int
    questionnaire: Questionnaire
    section: Section
    progress: SectionProgress
    reference: str
    """The request's, quoted for addresses."""

    @property
    def url(self) -> str:
        """The address of its page."""
        before, after = _around_reference(self.questionnaire.id, self.section.id)
        return f"{before}{self.reference}{after}"

    @property
    def title(self) -> str:
        """The section's title."""
        return str(self.section.title)

    @property
    def counted(self) -> str:
        """How many of its visible questions are dealt with."""
        return f"{self.progress.answered} of {self.progress.visible}"

    @property
    def state(self) -> str:
        """Completed, in progress, not started or not asked."""
        if not self.progress.visible:
            return "Not asked"
        if self.progress.is_complete:
            return "Completed"
        return "In progress" if self.progress.answered else "Not started"


@dataclass(frozen=True, slots=True)
class Next:
    """The next question without an answer."""

    code: str
    url: str


def places(reference: str, draft: Draft) -> tuple[Place, ...]:
    """All sections of the request in order."""
    quoted = quote(reference)
    pairs = [(questionnaire, section) for questionnaire in draft.questionnaires for section in questionnaire.sections]
    return tuple(
        Place(number, questionnaire, section, progress, quoted)
        for number, ((questionnaire, section), progress) in enumerate(
            zip(pairs, draft.progress.sections, strict=True), start=1
        )
    )


@lru_cache(maxsize=4_096)
def _around_reference(questionnaire_id: str, section_id: str) -> tuple[str, str]:
    # Every page has the addresses of all sections: built by url_for each time, they took a tenth of it.
    mark = "REFERENCE"  # no id has capital letters
    url = url_for("vendor.section", reference=mark, questionnaire_id=questionnaire_id, section_id=section_id)
    before, after = url.split(mark)
    return before, after


def section_of(questionnaires: Iterable[Questionnaire], questionnaire_id: str, section_id: str) -> Section:
    """One section of the request. Raises NotFound."""
    for questionnaire in questionnaires:
        for section in questionnaire.sections:
            if (questionnaire.id, section.id) == (questionnaire_id, section_id):
                return section
    raise NotFound("There is no such section in this request.")


def place_of(all_places: tuple[Place, ...], section: Section) -> Place:
    """The place of one section."""
    return next(place for place in all_places if place.section is section)


def place_with(all_places: tuple[Place, ...], question: Question) -> Place:
    """The place of the section that holds this question."""
    return next(place for place in all_places if place.section is place.questionnaire.section_of.get(question.id))


def question_urls(all_places: tuple[Place, ...]) -> Mapping[str, str]:
    """Where each question stands: the address of its page with its anchor."""
    return {q.id: f"{place.url}#q-{q.id}-question" for place in all_places for q in place.section.questions}


def next_unanswered(all_places: tuple[Place, ...], draft: Draft, after: int = 0) -> Next | None:
    """The next question without an answer: from the section with number `after` on, then from the beginning."""
    for place in (*all_places[max(after - 1, 0) :], *all_places[: max(after - 1, 0)]):
        if place.progress.next_unanswered is not None:
            question = draft.questions[place.progress.next_unanswered]
            return Next(question.code, f"{place.url}#q-{question.id}-question")
    return None


def controls(
    place: Place, draft: Draft, files: Mapping[str, tuple[FileView, ...]], given: Mapping[str, Control] | None = None
) -> list[Control]:
    """The section's questions, follow-ups under their parents. `given` stands instead of what is stored.

    A question that is hidden because of an answer on another page is left out: nothing here could bring it back.
    """
    found = []
    shown_here = {question.id for question in place.section.questions}
    for question, depth in question_forms.in_tree_order(place.questionnaire, place.section.questions):
        hidden = question.id not in draft.visible
        if hidden and not conditions.depends_on(question) & shown_here:
            shown_here.discard(question.id)
            continue
        where: dict[str, Any] = {
            "depth": depth, "is_hidden": hidden, "files": files.get(question.id, ()),
            "condition": question_forms.condition_words(question, draft.questions),
        }  # fmt: skip
        typed = (given or {}).get(question.id)
        stored = draft.stored.get(question.id)
        found.append(replace(typed, **where) if typed else question_forms.from_stored(question, stored, **where))
    return found


def saved_at(writer: Writer | Look, moment: datetime | None) -> str:
    """The time of day of a save, in the request's zone."""
    if moment is None:
        return ""
    return f"{moment.astimezone(ZoneInfo(writer.request.zone)):%H:%M}"


def question_of(draft: Draft, question_id: str) -> Question:
    """The question with this id. Raises NotFound where the request does not hold it."""
    try:
        return draft.questions[question_id]
    except KeyError:
        raise NotFound("There is no such question in this request.") from None
