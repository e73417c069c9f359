"""The database's own refusal to change or delete what was recorded.

The one way through is for the events of a case of which a ``PurgedCase`` row stands: what
lets them be deleted is the record that they were. Somebody who may change the database's
schema can drop the triggers; the chains and the roots then show what was done.

Emptying whole tables, as tests do between two tests, must go on working: PostgreSQL does it
by TRUNCATE, which asks no trigger for a row; MySQL with its foreign keys switched off, for
which the triggers look; and a test database on SQLite is made without triggers.
"""

from __future__ import annotations

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper

from django_faceverify import journal

EVENTS = "django_faceverify_event"
PURGED = "django_faceverify_purgedcase"
TABLES = (EVENTS, PURGED, "django_faceverify_auditroot", "django_faceverify_policyversion")
OPERATIONS = ("update", "delete")

IS_PURGED = f"EXISTS (SELECT 1 FROM {PURGED} WHERE verification_id = OLD.verification_id)"  # noqa: S608 (constants)

#: names of our functions in PostgreSQL
REFUSE, REFUSE_UNLESS_PURGED = "faceverify_refuse", "faceverify_refuse_unless_purged"

#: MySQL: no privilege, or a binary log that trusts only administrators with triggers
NOT_ALLOWED = {1044, 1142, 1227, 1419}


def create(connection: BaseDatabaseWrapper) -> None:
    """Create all triggers, in place of any that are there.

    Where MySQL does not let us, the site goes on without them: a warning in the log says so
    now, and the system check ``faceverify.W078`` and ``faceverify_doctor`` do later.
    """
    if not is_expected(connection):
        return
    drop(connection)
    try:
        _execute(connection, _creations(connection.vendor))
    except DatabaseError as error:
        if connection.vendor != "mysql" or _number(error) not in NOT_ALLOWED:
            raise
        journal.tell("history_unprotected")


def drop(connection: BaseDatabaseWrapper) -> None:
    """Drop whichever of the triggers are there."""
    if connection.vendor not in INSTALLED:
        return
    if connection.vendor == "postgresql":
        _execute(
            connection,
            [f"DROP TRIGGER IF EXISTS {name} ON {table}" for table, _, name in _triggers()]
            + [f"DROP FUNCTION IF EXISTS {name}()" for name in (REFUSE, REFUSE_UNLESS_PURGED)],
        )
    else:
        there = set(names()) - set(missing(connection))
        _execute(connection, [f"DROP TRIGGER {name}" for name in sorted(there)])


def names() -> list[str]:
    return [name for _, _, name in _triggers()]


def missing(connection: BaseDatabaseWrapper) -> list[str]:
    """The triggers that ought to be there and are not, or are switched off."""
    with connection.cursor() as cursor:
        cursor.execute(INSTALLED[connection.vendor])
        there = {name for (name,) in cursor.fetchall()}
    return [name for name in names() if name not in there]


def is_expected(connection: BaseDatabaseWrapper) -> bool:
    """Whether this is a database that should have triggers."""
    return connection.vendor in INSTALLED and not _empties_tables_by_delete(connection)


INSTALLED = {
    "postgresql": (
        "SELECT t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
        " WHERE pg_table_is_visible(c.oid) AND t.tgenabled IN ('O', 'A')"
    ),
    "mysql": (
        "SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = DATABASE()"
    ),
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
}


def _triggers() -> list[tuple[str, str, str]]:
    """Table, operation and name of each trigger."""
    return [
        (table, operation, f"{table.replace('django_', '')}_no_{operation}")
        for table in TABLES
        for operation in OPERATIONS
    ]


def _creations(vendor: str) -> list[str]:
    if vendor == "postgresql":
        return [*_POSTGRESQL_FUNCTIONS, *map(_postgresql, _triggers())]
    return [{"mysql": _mysql, "sqlite": _sqlite}[vendor](trigger) for trigger in _triggers()]


_RAISE = "RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'"
_POSTGRESQL_FUNCTIONS = [
    f"CREATE FUNCTION {REFUSE}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {_RAISE}; END $$",
    f"CREATE FUNCTION {REFUSE_UNLESS_PURGED}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    f" IF {IS_PURGED} THEN RETURN OLD; END IF; {_RAISE}; END $$",
]


def _postgresql(trigger: tuple[str, str, str]) -> str:
    table, operation, name = trigger
    function = REFUSE_UNLESS_PURGED if _has_a_way(table, operation) else REFUSE
    return (
        f"CREATE TRIGGER {name} BEFORE {operation} ON {table}"
        f" FOR EACH ROW EXECUTE FUNCTION {function}()"
    )


def _mysql(trigger: tuple[str, str, str]) -> str:
    """1451 is the number of a refusal by a foreign key, which Django knows as one."""
    table, operation, name = trigger
    refuse = (
        f"SIGNAL SQLSTATE '23000' SET MYSQL_ERRNO = 1451, MESSAGE_TEXT = '{table} is append-only'"
    )
    if operation == "delete":
        unless = f" AND NOT {IS_PURGED}" if _has_a_way(table, operation) else ""
        refuse = f"IF @@foreign_key_checks = 1{unless} THEN {refuse}; END IF"
    return f"CREATE TRIGGER {name} BEFORE {operation} ON {table} FOR EACH ROW {refuse}"


def _sqlite(trigger: tuple[str, str, str]) -> str:
    table, operation, name = trigger
    when = f" WHEN NOT {IS_PURGED}" if _has_a_way(table, operation) else ""
    return (
        f"CREATE TRIGGER {name} BEFORE {operation} ON {table} FOR EACH ROW{when}"
        f" BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    )


def _has_a_way(table: str, operation: str) -> bool:
    return (table, operation) == (EVENTS, "delete")


def _empties_tables_by_delete(connection: BaseDatabaseWrapper) -> bool:
    """Whether this is a test database on SQLite: in memory, or the one that TEST names."""
    if connection.vendor != "sqlite":
        return False
    name, test = connection.settings_dict["NAME"], connection.settings_dict.get("TEST") or {}
    return connection.is_in_memory_db() or str(name) == str(test.get("NAME"))  # type: ignore[attr-defined]  # SQLite's wrapper has it


def _execute(connection: BaseDatabaseWrapper, statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _number(error: DatabaseError) -> object:
    cause = error.__cause__
    return cause.args[0] if cause is not None and cause.args else None
