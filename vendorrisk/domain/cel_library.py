"""The CEL library without its command line, which would bring prompts and colours: 11 MB, a tenth of the start.

`conditions`, `contradictions` and `expressions` take `cel` from here.
"""

from __future__ import annotations

import sys
from types import ModuleType

_COMMAND_LINE = "cel.cli"
_stand_in = ModuleType(_COMMAND_LINE)
sys.modules.setdefault(_COMMAND_LINE, _stand_in)

import cel  # noqa: E402 - only now: the package imports its command line by itself

if sys.modules[_COMMAND_LINE] is _stand_in:
    del sys.modules[_COMMAND_LINE]  # whoever asks for it later gets the real one

__all__ = ["cel"]
