"""Why a file is not taken, where more than one kind of file has the reason; the checks of each kind raise these."""

from __future__ import annotations

from vendorrisk.domain.errors import InvalidFile


def not_what_it_says(kind: str) -> InvalidFile:
    """The content is another kind's, or broken."""
    return InvalidFile(f"The file is named .{kind}, but its content is not {kind.upper()}, or it is damaged.")


def locked() -> InvalidFile:
    """Nobody here could read it."""
    return InvalidFile("The file is protected by a password. Remove the password and upload it again.")
