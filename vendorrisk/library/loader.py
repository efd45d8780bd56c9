"""Loads questionnaires from YAML files; the factory, the command line and imports call it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from vendorrisk.domain import schema, schema_rules
from vendorrisk.domain.errors import CannotLoad, Problem
from vendorrisk.domain.questionnaire import Purpose, Questionnaire
from vendorrisk.library import yaml_text
from vendorrisk.library.mistakes import BrokenFile, Mistake
from vendorrisk.library.yaml_text import Document

T = TypeVar("T")

RULES_FILE = "contradictions.yaml"
"""The one file in a questionnaire folder that is none; `library/rules.py` reads it."""


@dataclass(frozen=True)
class Library:
    """The questionnaires that can be sent or filled in, by id."""

    questionnaires: Mapping[str, Questionnaire]

    @cached_property
    def question_ids(self) -> frozenset[str]:
        """The ids of all questions to vendors: what contradiction rules may name."""
        vendor = (q for q in self.questionnaires.values() if q.purpose is Purpose.VENDOR)
        return frozenset(question.id for questionnaire in vendor for question in questionnaire)


def load(path: Path) -> Questionnaire:
    """The questionnaire in a file. Raises BrokenFile with every mistake as file:line:column."""
    return load_text(read_file(path), str(path))


def load_text(text: str, name: str) -> Questionnaire:
    """The questionnaire in a YAML text; `name` stands in front of mistakes. Raises BrokenFile."""
    document = yaml_text.read(text, name)
    return parsed(document, schema.parse)


def load_folder(folder: Path) -> Library:
    """All questionnaires of a folder (not of folders inside it, nor the contradiction rules).

    A file is named after its questionnaire, and no two questionnaires for vendors share a question's id or
    code: they may be sent together. Raises BrokenFile with the mistakes of all files.
    """
    loaded: list[tuple[Document, Questionnaire]] = []
    mistakes: list[Mistake] = []
    for path in sorted(folder.glob("*.yaml")):
        if path.name != RULES_FILE:
            try:
                document = yaml_text.read(read_file(path), str(path))
                loaded.append((document, parsed(document, schema.parse)))
            except BrokenFile as error:
                mistakes += error.mistakes
    mistakes += [*_misnamed(loaded), *_shared(loaded)]
    if mistakes:
        raise BrokenFile(mistakes)
    return Library(MappingProxyType({questionnaire.id: questionnaire for _, questionnaire in loaded}))


def read_file(path: Path) -> str:
    """A file's text. Raises BrokenFile if there is none, if it is too large, or if it is not UTF-8."""
    try:
        with path.open("rb") as file:
            # One byte more than allowed shows that there is too much, without reading it all.
            content = file.read(yaml_text.MAX_BYTES + 1)
        if len(content) > yaml_text.MAX_BYTES:
            raise _unreadable(path, f"the file is larger than {yaml_text.MAX_BYTES // 1024} KiB")
        return content.decode("utf-8-sig")
    except OSError as error:
        raise _unreadable(path, f"the file cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise _unreadable(path, "the file is not UTF-8 text", line) from error


def parsed(document: Document, parse: Callable[[object], T]) -> T:
    """What `parse` makes of a document; the paths of its problems become places in the file."""
    try:
        return parse(document.plain)
    except CannotLoad as error:
        raise BrokenFile(document.mistake(problem) for problem in error.problems) from None


def _unreadable(path: Path, message: str, line: int = 1) -> BrokenFile:
    return BrokenFile([Mistake(str(path), line, 1, message, Problem((), message))])


def _misnamed(loaded: list[tuple[Document, Questionnaire]]) -> Iterator[Mistake]:
    for document, questionnaire in loaded:
        if questionnaire.id != Path(document.name).stem:
            message = f"the file must be named after its id: {questionnaire.id}.yaml"
            yield document.mistake(Problem(("id",), message))


def _shared(loaded: list[tuple[Document, Questionnaire]]) -> Iterator[Mistake]:
    first: dict[str, str] = {}
    for document, questionnaire in loaded:
        if questionnaire.purpose is not Purpose.VENDOR:
            continue
        for path, question in schema_rules.places(questionnaire):
            for key, name in (("id", question.id), ("code", question.code)):
                if name in first:
                    yield document.mistake(Problem((*path, key), f"{name!r} is used in {first[name]} too"))
        first |= dict.fromkeys((*questionnaire.by_id, *questionnaire.by_code), document.name)
