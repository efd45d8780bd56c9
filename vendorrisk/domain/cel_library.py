"""The CEL library without its command line, whose terminal and colours would cost 0.15 s at each start."""

from __future__ import annotations

import sys
from types import ModuleType

# The package imports its own command line. Whoever wants that one has it in another process.
sys.modules.setdefault("cel.cli", ModuleType("cel.cli"))

import cel  # noqa: E402 - behind the line above

__all__ = ["cel"]
