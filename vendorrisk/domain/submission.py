"""A submission as plain JSON (what the score command reads) to a case, and a score to plain JSON; strict both ways."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from vendorrisk.domain import contradictions, plain_values, question_types
from vendorrisk.domain.answers import Answer, EvidenceLevel, PartialDate, Value
from vendorrisk.domain.contradictions import Hit, RuleSet
from vendorrisk.domain.errors import InvalidAnswer
from vendorrisk.domain.inherent import inherent as inherent_score
from vendorrisk.domain.question_types import ticked
from vendorrisk.domain.questionnaire import Purpose, Question, Questionnaire, QuestionType
from vendorrisk.domain.scoring import Case, Pair, Score, score

_KEYS = {"questionnaires", "inherent", "intake", "as_of", "answers"}
_ANSWER_KEYS = {"value", "evidence", "answered_on", "contradicted", "not_applicable", "approved"}


def read(plain: object, library: Mapping[str, Questionnaire], *, today: date) -> Case:
    """The case that a submission states. Raises InvalidAnswer naming the question or key and the reason."""
    given = _object(plain, "the submission", _KEYS)
    themes = {name: questionnaire for name, questionnaire in library.items() if questionnaire.purpose is Purpose.VENDOR}
    chosen = tuple(_questionnaire(name, themes) for name in _list(given.get("questionnaires"), "questionnaires"))
    as_of = _day(given["as_of"], "as_of") if "as_of" in given else today
    answers: dict[str, Answer] = {}
    for name, answer in _object(given.get("answers", {}), "answers", None).items():
        question = _question(name, chosen)
        if question.id in answers:
            raise InvalidAnswer(f"{question.code}: answered twice, by code and by id")
        answers[question.id] = _about(question, lambda q=question, a=answer: _answer(q, a, as_of))  # type: ignore[misc]
    return Case(chosen, answers, _inherent(given, library), as_of)


def with_rules(case: Case, rules: RuleSet) -> tuple[Case, tuple[Hit, ...]]:
    """The case with the contradictions that its answers show, and the rules that fired."""
    hits = contradictions.find(rules, case.questionnaires, case.answers, on=case.as_of)
    doubted = contradictions.contradicted(hits)
    answers = {
        name: replace(answer, contradicted=answer.contradicted or name in doubted)
        for name, answer in case.answers.items()
    }
    return replace(case, answers=answers, inconsistent=contradictions.inconsistent(hits)), hits


def result(case: Case) -> dict[str, Any]:
    """Score the case; the figures, unrounded, as plain JSON."""
    return plain_score(score(case))


def plain_score(scored: Score) -> dict[str, Any]:
    """A score as the score command prints it."""
    return {
        "themes": {
            theme.questionnaire_id: _pair(theme.score, {"assured": None, "declared": None}) for theme in scored.themes
        },
        "control_effectiveness": _pair(scored.effectiveness, None),
        "inherent": _figure(scored.inherent),
        "tier": scored.tier,
        "residual": _pair(scored.residual, None),
        "number_band": scored.number_band.value,
        "floor": scored.floor.value,
        "band": scored.band.value,
        "answered": scored.answered,
        "visible": scored.visible,
        "provisional": scored.provisional,
        "flags": [
            {
                "question": flag.question,
                "option": flag.option,
                "level": flag.level.value,
                "kind": flag.kind.value,
            }
            for flag in scored.flags
        ],
    }


def _pair(pair: Pair | None, otherwise: Any) -> Any:
    if pair is None:
        return otherwise
    return {"assured": _figure(pair.assured), "declared": _figure(pair.declared)}


def _figure(value: Decimal) -> float | int:
    return int(value) if value == value.to_integral_value() else float(value)


def _object(plain: object, what: str, keys: set[str] | None) -> dict[str, Any]:
    if not isinstance(plain, dict):
        raise InvalidAnswer(f"{what} must be a JSON object")
    for key in plain:
        if keys is not None and key not in keys:
            raise InvalidAnswer(f"{what}: unknown key {key!r}{_did_you_mean(key, keys)}")
    return plain


def _did_you_mean(word: str, known: Any) -> str:
    close = get_close_matches(word, list(known), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _list(plain: object, what: str) -> list[Any]:
    if not isinstance(plain, list) or not plain:
        raise InvalidAnswer(f"{what}: a list with at least one entry is needed")
    if len({str(entry) for entry in plain}) < len(plain):
        raise InvalidAnswer(f"{what}: an entry stands there twice")
    return plain


def _questionnaire(name: object, library: Mapping[str, Questionnaire]) -> Questionnaire:
    if not isinstance(name, str) or name not in library:
        raise InvalidAnswer(f"unknown questionnaire {name!r}{_did_you_mean(str(name), library)}")
    return library[name]


def _question(name: str, questionnaires: tuple[Questionnaire, ...]) -> Question:
    for questionnaire in questionnaires:
        if (question := questionnaire.find(name)) is not None:
            return question
    codes = [question.code for questionnaire in questionnaires for question in questionnaire]
    raise InvalidAnswer(f"unknown question {name!r}{_did_you_mean(name, codes)}")


def _about(question: Question, make: Callable[[], Answer]) -> Answer:
    try:
        return make()
    except InvalidAnswer as error:
        text = str(error)
        raise InvalidAnswer(text if text.startswith(question.code) else f"{question.code}: {text}") from None


def _day(plain: object, what: str) -> date:
    try:
        return date.fromisoformat(plain if isinstance(plain, str) else "")
    except ValueError:
        raise InvalidAnswer(f"{what}: {plain!r} is not a date (2026-06-30)") from None


def _flag(given: dict[str, Any], key: str) -> bool:
    value = given.get(key, False)
    if not isinstance(value, bool):
        raise InvalidAnswer(f"{key} must be true or false")
    return value


def _answer(question: Question, plain: object, as_of: date) -> Answer:
    given = _object(plain, "the answer", _ANSWER_KEYS)
    level = given.get("evidence", EvidenceLevel.CLAIMED.value)
    if level not in [known.value for known in EvidenceLevel]:
        raise InvalidAnswer(
            f"unknown evidence level {level!r}{_did_you_mean(str(level), [k.value for k in EvidenceLevel])}"
        )
    answered_on = _day(given["answered_on"], "answered_on") if "answered_on" in given else as_of
    if answered_on > as_of:
        raise InvalidAnswer(f"answered on {answered_on}, in the future of {as_of}")
    bare = Answer(evidence=EvidenceLevel(level), answered_on=answered_on, contradicted=_flag(given, "contradicted"))
    reason = given.get("not_applicable")
    if reason is None:
        if "approved" in given:
            raise InvalidAnswer("approved goes with not_applicable only")
        value = _value(question, given.get("value"))
        if isinstance(value, PartialDate) and question.bands and plain_values.earliest(value) > as_of:
            raise InvalidAnswer(f"{value} lies in the future of {as_of}")
        return replace(bare, value=value)
    if given.get("value") is not None:
        raise InvalidAnswer("a value and not_applicable cannot stand together")
    if not question.na_allowed:
        raise InvalidAnswer("'not applicable' is not allowed here")
    if not isinstance(reason, str) or not reason.strip():
        raise InvalidAnswer("not_applicable is the reason, in words")
    return replace(bare, not_applicable=reason, approved=_flag(given, "approved"))


def _value(question: Question, plain: object) -> Value | None:
    if plain is None or plain == "" or plain == []:
        return None
    if question.type is QuestionType.CHOICES:
        if not isinstance(plain, list) or not all(isinstance(code, str) for code in plain):
            raise InvalidAnswer("a list of option codes is needed")
        return ticked.checked(question, set(plain))
    if isinstance(plain, str) and question.option(plain) is not None:
        return plain
    if question.type is QuestionType.NUMBER and isinstance(plain, int | Decimal) and not isinstance(plain, bool):
        number = Decimal(plain)
        plain_values.check_number(number, question.limits)
        return number
    if question.options and isinstance(plain, str) and question.type is not QuestionType.DATE:
        codes = [option.code for option in question.options]
        raise InvalidAnswer(f"there is no option {plain!r}{_did_you_mean(plain, codes)}")
    if question.type is QuestionType.NUMBER:
        raise InvalidAnswer(f"{plain!r} is not a number")
    return question_types.from_plain(question, plain)


def _inherent(given: dict[str, Any], library: Mapping[str, Questionnaire]) -> Decimal:
    if ("inherent" in given) == ("intake" in given):
        raise InvalidAnswer("give either inherent (0 to 100) or intake (answers by code)")
    if "intake" in given:
        intake = _questionnaire("intake", library)
        plain = _object(given["intake"], "intake", None)
        answers = {}
        for name, value in plain.items():
            question = _question(name, (intake,))
            answers[question.id] = _about(question, lambda q=question, v=value: Answer(value=_value(q, v)))  # type: ignore[misc]
        return inherent_score(intake, answers).value
    value = given["inherent"]
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not 0 <= Decimal(value) <= 100:
        raise InvalidAnswer(f"inherent: {value!r} is not a number from 0 to 100")
    return Decimal(value)
