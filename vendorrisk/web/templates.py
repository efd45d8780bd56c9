"""The environment in which Jinja renders the pages; the factory hands it to Flask."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from flask.templating import Environment


class SharedGlobals(Environment):
    """All templates share one dictionary of globals, which is complete before the first page.

    Jinja gives each template a ChainMap of its own over it, and walks through it at each import: a seventh of a page.
    """

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """The globals themselves, unless a template brings some of its own."""
        return super().make_globals(d) if d else self.globals
