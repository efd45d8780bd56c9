"""Imports in less time and memory: without what libraries load only where it is installed, without the collector.

A start that loads what nobody asks for takes longer and keeps the memory for as long as the service runs: `rich` with
structlog, `psycopg` with huey, `webauthn` with Flask-Security.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import cast


@contextmanager
def without(name: str) -> Iterator[None]:
    """To whatever is imported inside, `name` is not installed. What has it already keeps it."""
    there = sys.modules.get(name)
    sys.modules[name] = cast(ModuleType, None)  # Python's own way to say so: importing it raises ImportError
    try:
        yield
    finally:
        if there is None:
            del sys.modules[name]
        else:
            sys.modules[name] = there


@contextmanager
def nothing_to_collect() -> Iterator[None]:
    """While modules are loaded nothing is garbage: looking for it takes a tenth of a start."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
