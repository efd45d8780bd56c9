"""Checks conditions (CEL) and patterns (RE2) that authors write; the two schemas call it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import lru_cache

import re2

from vendorrisk.domain.cel_library import cel
from vendorrisk.domain.reading import unknown

MAX_LENGTH = 500
# CEL has no limit on steps. Loops in loops are what could make a short condition slow.
MAX_LOOPS = 3

FUNCTIONS = frozenset({"size", "contains", "startsWith", "endsWith", "int", "double", "string"})
"""What a condition may call besides operators, `has` and loops. Others would fail only when run."""

RESERVED = frozenset(
    {"as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in"}
    | {"let", "loop", "namespace", "null", "package", "return", "true", "var", "void", "while"}
    | {"it", "number", "grade", "incident_facts"}
)
"""Names that no question may have: words of CEL, and what rules call their other inputs."""

_TEXTS = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
_LOOP = re.compile(r"\.\s*(?:all|exists|exists_one|map|filter)\s*\(\s*(\w*)")
_FAILURE = re.compile(r"ERROR: <input>:\d+:(\d+): (.*)")
_QUIET = re2.Options()
_QUIET.log_errors = False


def problems(expression: str, known: Collection[str]) -> Iterator[str]:
    """What is wrong with a condition that may name `known` variables: a sentence per mistake."""
    if len(expression) > MAX_LENGTH:
        yield f"the condition has {len(expression)} characters; the most is {MAX_LENGTH}"
        return
    try:
        program = cel.compile(expression)
    except ValueError as error:
        yield f"the condition cannot be understood: {_reason(error)}"
        return
    loops = _loops(expression)
    if len(loops) > MAX_LOOPS:
        yield f"the condition has {len(loops)} loops (all, exists, map …); the most is {MAX_LOOPS}"
    for name in sorted(set(loops) & set(known)):
        yield f"the name {name!r} of a loop is a question's id too; choose another"
    for name in sorted(set(program.variables()) - set(loops) - set(known)):
        yield unknown("name", name, known) + " in the condition"
    for name in program.functions():
        if name.isidentifier() and name not in FUNCTIONS:
            yield unknown("function", name, FUNCTIONS) + " in the condition"


@lru_cache(maxsize=2048)
def names(expression: str) -> frozenset[str]:
    """The variables that a condition reads, without those of its loops; none if it is not CEL."""
    try:
        program = cel.compile(expression)
    except ValueError:
        return frozenset()
    return frozenset(program.variables()) - set(_loops(expression))


def members(expression: str, name: str) -> frozenset[str]:
    """The fields of the variable `name` that a condition reads: `days` for `name.days`."""
    without_texts = _TEXTS.sub("''", expression)
    return frozenset(re.findall(rf"(?<![\w.]){name}\s*\.\s*(\w+)", without_texts))


def pattern_problem(pattern: str) -> str | None:
    """Why RE2 does not take a pattern; None if it does. RE2 takes linear time on any text."""
    if len(pattern) > MAX_LENGTH:
        return f"the pattern has {len(pattern)} characters; the most is {MAX_LENGTH}"
    try:
        re2.compile(pattern, options=_QUIET)
    except re2.error as error:
        reason = error.args[0]
        words = reason.decode() if isinstance(reason, bytes) else reason
        return f"the pattern is not valid in RE2: {words}"
    return None


def _loops(expression: str) -> list[str]:
    """The variable of each loop."""
    found: list[str] = _LOOP.findall(_TEXTS.sub("''", expression))
    return found


def _reason(error: ValueError) -> str:
    found = _FAILURE.search(str(error))
    if found is None:
        return str(error).splitlines()[0][:200]
    message = found[2].split(" expecting ")[0].removeprefix("Syntax error: ")
    return f"{message} (character {found[1]})"
