"""Migrations: they make what the models say, go up and down with data, and keep the trail append-only."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, inspect, select, text
from sqlalchemy.exc import DBAPIError

from tests import builders, trail_side
from tests.databases import ON_POSTGRES, ON_SQLITE
from vendorrisk.db import engine, migrate, schema
from vendorrisk.db.base import Base
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Answer, Event, Vendor
from vendorrisk.db.schema import Standing
from vendorrisk.domain.assessment import RequestStatus
from vendorrisk.domain.audit import SYSTEM
from vendorrisk.domain.roles import Role
from vendorrisk.services.people import scopes

REVISIONS = sorted(path.stem.split("_")[0] for path in (migrate.MIGRATIONS / "versions").glob("*.py"))


@pytest.fixture
def empty(empty_url: str) -> Any:
    made = engine.make_engine(empty_url)
    yield made
    made.dispose()


def differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    return list(compare_metadata(context, Base.metadata))


def test_the_migrated_schema_is_the_one_of_the_models(empty_url: str, empty: Engine) -> None:
    migrate.upgrade(empty_url)
    with empty.connect() as connection:
        assert differences(connection) == []


def test_every_constraint_has_a_name_that_a_later_migration_can_use(empty_url: str, empty: Engine) -> None:
    migrate.upgrade(empty_url)
    found = inspect(empty)
    for table in Base.metadata.tables:
        assert found.get_pk_constraint(table)["name"] == f"pk_{table}"
        for constraint in (*found.get_foreign_keys(table), *found.get_unique_constraints(table)):
            assert constraint["name"], f"{table}: {constraint}"


def test_up_to_the_newest_and_back_to_nothing(empty_url: str, empty: Engine) -> None:
    assert migrate.current(empty_url) is None
    migrate.upgrade(empty_url)
    assert migrate.current(empty_url) == migrate.newest() == REVISIONS[-1]
    migrate.upgrade(empty_url)
    migrate.downgrade(empty_url, "base")
    assert migrate.current(empty_url) is None
    assert set(inspect(empty).get_table_names()) <= {"alembic_version"}


def test_several_that_make_the_schema_at_once_make_it_once(empty_url: str, empty: Engine) -> None:
    start = threading.Barrier(4)

    def make(_number: int) -> str | None:
        start.wait()
        return migrate.upgrade(empty_url)

    with ThreadPoolExecutor(4) as pool:
        before = list(pool.map(make, range(4)))
    assert sorted(before, key=str) == [REVISIONS[-1]] * 3 + [None]
    with empty.connect() as connection:
        assert schema.standing(schema.current(connection)) is Standing.FITS


def test_where_a_database_stands_is_told_without_alembic() -> None:
    assert schema.standing(None) is Standing.EMPTY
    assert schema.standing("9999") is Standing.NEWER
    assert [schema.standing(revision) for revision in REVISIONS] == [Standing.OLDER] * (len(REVISIONS) - 1) + [
        Standing.FITS
    ]


def test_down_one_step_and_up_again_keeps_the_data(database: Database, database_url: str) -> None:
    with database.writing() as session:
        request = builders.add_request(session, status=RequestStatus.OPEN)
        builders.add_answer(session, request, "remote_access", "own", comment="from home")
        before = _content(session.connection())
    if len(REVISIONS) > 1:
        migrate.downgrade(database_url, REVISIONS[-2])
    migrate.upgrade(database_url)
    with database.reading() as session:
        assert _content(session.connection()) == before
        assert len(session.scalars(select(Vendor)).all()) == 1
        assert session.scalars(select(Answer)).one().version == 1


def test_a_filled_database_goes_down_to_nothing_and_up_again(database: Database, database_url: str) -> None:
    with database.writing() as session:
        for _ in range(20):
            request = builders.add_request(session, status=RequestStatus.OPEN)
            builders.add_answer(session, request, "remote_access", "own")
    database.close()
    migrate.downgrade(database_url, "base")
    migrate.upgrade(database_url)
    with database.reading() as session:
        assert differences(session.connection()) == []
        assert session.scalars(select(Vendor)).all() == []


def test_limits_of_auditors_go_and_come_without_touching_anything_else(database: Database, database_url: str) -> None:
    with database.writing() as session:
        reference = builders.add_vendor(session).reference
        auditor = builders.add_user(session, "ida@audits.example", roles=[Role.AUDITOR])
        day = builders.NOW.date()
        scopes.limit(session, auditor.email, first=day, last=day, vendors=[reference], by=SYSTEM, now=builders.NOW)
        before = _content(session.connection())
    assert (before["auditor_scopes"], before["auditor_scope_vendors"]) == (1, 1)
    migrate.downgrade(database_url, "0009")
    migrate.upgrade(database_url)
    with database.reading() as session:
        assert differences(session.connection()) == []
        assert _content(session.connection()) == before | {"auditor_scopes": 0, "auditor_scope_vendors": 0}


@pytest.mark.parametrize("revision", REVISIONS[:-1])
def test_the_triggers_are_there_after_up_down_and_up_from_any_revision(
    database: Database, database_url: str, tmp_path: Path, revision: str
) -> None:
    trail_side.sealed(database, tmp_path)
    migrate.downgrade(database_url, revision)
    with database.engine.connect() as connection:
        assert migrate.missing_triggers(connection) == frozenset()
    migrate.upgrade(database_url)
    with database.engine.connect() as connection:
        assert migrate.missing_triggers(connection) == frozenset()
        assert connection.scalar(text("SELECT count(*) FROM trail_links")) == 8
    findings = trail_side.check(database)
    assert {finding.words for finding in findings} <= {
        "the link was not made by this service: it, or one before it, was changed"
    }, "going below 0002 drops the seals, and that is named"
    with pytest.raises(DBAPIError, match="the trail cannot be changed"), database.writing() as session:
        session.execute(text("DELETE FROM trail_links"))


def _content(connection: Connection) -> dict[str, int]:
    return {name: len(connection.execute(table.select()).all()) for name, table in Base.metadata.tables.items()}


def refuse(database: Database, statement: str) -> None:
    """Fill the trail, try the statement, and see that nothing has changed."""
    with database.writing() as session:
        builders.add_vendor(session)
        number = session.scalars(select(Event.number)).first()
        session.execute(
            text("INSERT INTO trail_links VALUES (1, :number, :chain, :at, NULL)"),
            {"number": number, "chain": bytes(32), "at": builders.NOW.replace(tzinfo=None)},
        )
    with pytest.raises(DBAPIError, match="the trail cannot be changed"), database.writing() as session:
        session.execute(text(statement))
    with database.reading() as session:
        assert session.scalars(select(Event.kind)).all() == ["vendor.added"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE trail_events SET kind = 'nothing'",
        "UPDATE trail_events SET at = '2020-01-01'",
        "DELETE FROM trail_events",
        "UPDATE trail_links SET position = 7",
        "DELETE FROM trail_links",
    ],
)
def test_the_trail_cannot_be_changed(database: Database, statement: str) -> None:
    refuse(database, statement)


@ON_POSTGRES
@pytest.mark.parametrize("tables", ["trail_links", "trail_links, trail_events"])
def test_the_trail_cannot_be_truncated(database: Database, tables: str) -> None:
    refuse(database, f"TRUNCATE {tables}")


@ON_SQLITE
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT OR REPLACE INTO trail_events SELECT number, id, at, 'nothing', actor_kind, actor_id, object_kind, "
        "object_id, details, mac FROM trail_events",
        "INSERT OR REPLACE INTO trail_events SELECT number + 1, id, at, 'nothing', actor_kind, actor_id, object_kind, "
        "object_id, details, mac FROM trail_events",
        "INSERT OR REPLACE INTO trail_links SELECT position, event_number, chain, '2020-01-01', seal FROM trail_links",
    ],
)
def test_the_trail_cannot_be_replaced(database: Database, statement: str) -> None:
    refuse(database, statement)


def test_no_migration_touches_the_trail_in_batch_mode() -> None:
    for path in (migrate.MIGRATIONS / "versions").glob("*.py"):
        batches = re.findall(r"batch_alter_table\(\s*['\"](\w+)", path.read_text())
        assert not [table for table in batches if table.startswith("trail_")], path.name


@ON_SQLITE
def test_a_migration_that_lost_the_triggers_is_refused(database_url: str, database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("DROP TRIGGER trail_events_no_delete"))
    with pytest.raises(migrate.BrokenMigration, match="triggers"):
        migrate.upgrade(database_url)


@ON_SQLITE
def test_a_migration_that_left_rows_dangling_is_refused(database_url: str, database: Database) -> None:
    with database.writing() as session:
        builders.add_vendor(session)
    careless = create_engine(database_url)
    with careless.begin() as connection:
        connection.execute(text("DELETE FROM data_keys WHERE purpose = 'vendor'"))
    careless.dispose()
    with pytest.raises(migrate.BrokenMigration, match="vendors points to nothing in data_keys"):
        migrate.upgrade(database_url)


def test_a_migration_that_fails_leaves_no_half_schema(
    empty_url: str, empty: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_connection: Connection) -> None:
        raise migrate.BrokenMigration("on purpose")

    monkeypatch.setattr(migrate, "_check", fail)
    with pytest.raises(migrate.BrokenMigration):
        migrate.upgrade(empty_url)
    assert inspect(empty).get_table_names() == []


def test_the_migrations_form_one_line() -> None:
    assert [f"{number:04d}" for number in range(1, len(REVISIONS) + 1)] == REVISIONS


def test_a_draft_is_written_for_what_the_models_have_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    copied = tmp_path / "migrations"
    shutil.copytree(migrate.MIGRATIONS, copied, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(migrate, "MIGRATIONS", copied)
    drafted = migrate.draft("nothing new")
    assert drafted.name == f"{len(REVISIONS) + 1:04d}_nothing_new.py"
    assert "op." not in drafted.read_text()


def test_the_newest_revision_is_the_head_of_alembics_chain() -> None:
    assert migrate.newest() == ScriptDirectory(str(migrate.MIGRATIONS)).get_current_head()
