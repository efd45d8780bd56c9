"""How a log line looks, as text or as JSON, and what never stands in one; `logs` sets it up.

Every line, our own and the libraries', goes through `formatter`. Links, tokens, passwords in addresses and mail
addresses are cut out of the finished line. An exception keeps its kind and its places in the code; its own words only
where they come from code too, because most kinds quote the value that they complain about.
"""

from __future__ import annotations

import logging
import re
import sqlite3
import traceback
from typing import Any

from jinja2 import TemplateError
from sqlalchemy.exc import DBAPIError

from vendorrisk import lean

with lean.without("rich"):  # for colours on a terminal
    import structlog
    from structlog.stdlib import ProcessorFormatter
    from structlog.typing import EventDict

FIELDS = ("method", "path", "route", "status", "ms")
"""What a line may carry beside its words; JSON shows them by themselves."""

_CUTS = (
    (re.compile(r"(/(?:q|forgotten-password)/)[^/\s?\"'<>]+"), r"\1[cut]"),  # the next part is a secret
    (re.compile(r"://[^/\s:@\"']*:[^/\s@\"']*@"), "://[cut]@"),
    (re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+"), "[cut]"),
    (re.compile(r"(?<![\w-])[\w-]{43,}(?![\w-])"), "[cut]"),  # as long as our tokens
)
_WORDS_FROM_CODE = (AttributeError, ImportError, NameError, NotImplementedError, TemplateError, TypeError)


def scrub(text: str) -> str:
    """The text with whatever looks like a secret or an address of a person replaced."""
    for pattern, instead in _CUTS:
        text = pattern.sub(instead, text)
    return text


def formatter(style: str) -> logging.Formatter:
    """The formatter of all lines: "json", or "text" for people."""
    return ProcessorFormatter(
        foreign_pre_chain=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(allow=FIELDS),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _exception,
        ],
        processors=[ProcessorFormatter.remove_processors_meta, _json if style == "json" else _text],
    )


def _exception(_logger: Any, _method: str, line: EventDict) -> EventDict:
    """Put the traceback in, with the words of its exceptions only where they are safe."""
    record: logging.LogRecord = line["_record"]
    if record.exc_info and record.exc_info[1] is not None:
        line["exception"] = "\n".join(_told(record.exc_info[1]))
    line.pop("exc_info", None)
    record.exc_info = record.exc_text = None
    return line


def _told(error: BaseException, seen: frozenset[int] = frozenset()) -> list[str]:
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    earlier = [] if before is None or id(before) in seen else [*_told(before, seen | {id(error)}), "… and then:"]
    frames = "".join(traceback.format_tb(error.__traceback__)).rstrip()
    kind = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    return [*earlier, *([frames] if frames else []), f"{kind}: {_words(error)}"]


def _words(error: BaseException) -> str:
    if isinstance(error, DBAPIError):
        return _of_database(error.orig)
    if isinstance(error, sqlite3.Error) or hasattr(error, "sqlstate"):
        return _of_database(error)
    if isinstance(error, _WORDS_FROM_CODE):
        return str(error)
    if type(error) is OSError or (isinstance(error, OSError) and type(error).__module__ == "builtins"):
        return f"[Errno {error.errno}] {error.strerror}"
    return "(its words are left out: they may quote what somebody typed)"


def _of_database(error: BaseException | None) -> str:
    constraint = getattr(getattr(error, "diag", None), "constraint_name", None)
    known = (getattr(error, "sqlite_errorname", None), getattr(error, "sqlstate", None), constraint)
    return " ".join(str(part) for part in known if part) or "no code"


def _json(logger: Any, method: str, line: EventDict) -> str:
    rendered = structlog.processors.JSONRenderer(ensure_ascii=True)(logger, method, line)
    return scrub(rendered if isinstance(rendered, str) else rendered.decode())


def _text(_logger: Any, _method: str, line: EventDict) -> str:
    ends = [f" {line['ms']}ms"] if "ms" in line else []
    ends += [f" [{line['request']}]"] if "request" in line else []
    ends += [f"\n{line['exception']}"] if "exception" in line else []
    begins = f"{line['timestamp'][:19]}Z {line['level']:<7} {line['logger']} {_one_line(line['event'])}"
    return scrub(begins + "".join(ends))


def _one_line(words: str) -> str:
    """A line is one line: nobody writes a second one by sending a line break."""
    return words.encode("unicode_escape").decode("ascii") if not words.isprintable() else words
