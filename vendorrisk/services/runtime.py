"""What the running service is made of: the factory builds it once; web, cli and jobs use it."""

from __future__ import annotations

from dataclasses import dataclass

from vendorrisk.db.engine import Database
from vendorrisk.domain.contradictions import RuleSet
from vendorrisk.library.loader import Library
from vendorrisk.settings import Settings
from vendorrisk.storage import Storage


@dataclass(frozen=True, slots=True)
class Runtime:
    """Everything that a request or a job may need and that lives as long as the process."""

    settings: Settings
    database: Database
    library: Library
    rules: RuleSet
    storage: Storage
