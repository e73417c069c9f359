"""The database's clock: leases and due times are judged by one clock for all workers."""

from __future__ import annotations

import functools
from datetime import timedelta
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import DateTimeField, Expression, ExpressionWrapper
from django.db.models.functions import Now
from django.db.models.sql.compiler import SQLCompiler


class DatabaseNow(Now):
    """The moment of the statement, in UTC on every database.

    MySQL's CURRENT_TIMESTAMP follows the server's time zone, while Django stores UTC.
    """

    def as_mysql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra: Any
    ) -> tuple[str, Any]:
        return self.as_sql(compiler, connection, template="UTC_TIMESTAMP(6)", **extra)


@functools.lru_cache(maxsize=64)  # one object for each wait, by which a compiled statement is found
def db_now(plus_seconds: float = 0) -> Expression:
    """Now by the database's clock, or that many seconds later (or earlier)."""
    if not plus_seconds:
        return DatabaseNow()
    return ExpressionWrapper(
        DatabaseNow() + timedelta(seconds=plus_seconds), output_field=DateTimeField()
    )
