"""Statements that every verification runs: compiled once by Django, executed many times.

To build and compile a query takes Django several times as long as to execute it. The few
statements between the queue and the outcome always have the same shape; only their values
differ. So each shape is compiled once with places instead of values, and a thread keeps the
text. The query is still Django's own, and so is the dialect of each database.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Expression, Field, Model, QuerySet
from django.db.models.sql import InsertQuery, UpdateQuery

from django_faceverify.conf import app_settings

#: gives the rows to start from. It must be the same object at each call (a function of a
#: module, a manager's method), since it is what a compiled statement is found by.
Rows = Callable[[], QuerySet[Any]]


class Place(Expression):
    """Where the value of that name will stand, in the format of that field."""

    def __init__(self, name: str, field: Field[Any, Any]) -> None:
        super().__init__(output_field=field)
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        return "%s", [self]

    def fill(self, values: dict[str, Any], connection: BaseDatabaseWrapper) -> Any:
        value = values[self.name]
        if isinstance(value, Model):
            value = value.pk
        return self.output_field.get_db_prep_save(value, connection)


@dataclass
class Compiled:
    """The text of a statement, and its parameters with a ``Place`` where a value will stand.

    ``converters`` make Python's values of the database's, by the index of a column.
    """

    sql: str
    parameters: Sequence[Any]
    converters: dict[int, tuple[list[Callable[..., Any]], Any]] = dataclass_field(
        default_factory=dict
    )

    def execute(self, values: dict[str, Any]) -> int:
        """Run it; returns how many rows were changed."""
        with connection.cursor() as cursor:
            cursor.execute(self.sql, self._filled(values))
            return int(cursor.rowcount)

    def fetch(self, values: dict[str, Any]) -> list[list[Any]]:
        """Run it; returns the rows as a ``values_list`` would give them."""
        with connection.cursor() as cursor:
            cursor.execute(self.sql, self._filled(values))
            rows = [list(row) for row in cursor.fetchall()]
        for index, (converters, column) in self.converters.items():
            for row in rows:
                for convert in converters:
                    row[index] = convert(row[index], column, connection)
        return rows

    def _filled(self, values: dict[str, Any]) -> list[Any]:
        return [
            part.fill(values, connection) if isinstance(part, Place) else part
            for part in self.parameters
        ]


class _Kept(threading.local):
    """What this thread has compiled, for the connection and the settings that it has now.

    A rule may hold settings, as the one of what is due holds the texts of consent that stand.
    """

    connection: object = None
    settings: object = None
    statements: dict[Any, Compiled]

    def get(self, shape: Any, compile_: Callable[[], Compiled]) -> Compiled:
        now, settings = connections[DEFAULT_DB_ALIAS], app_settings.raw
        if self.connection is not now or self.settings is not settings:
            self.connection, self.settings, self.statements = now, settings, {}
        found = self.statements.get(shape)
        if found is None:
            found = self.statements[shape] = compile_()
        return found


_kept = _Kept()


def update(rows: Rows, where: dict[str, Any], **changes: Any) -> int:
    """``rows().filter(**where).update(**changes)``; returns how many rows were changed."""
    shape, values = _shape(where, changes)

    def compile_() -> Compiled:
        queryset = rows()
        query: Any = _filtered(queryset, where).query.chain(UpdateQuery)
        query.add_update_values(_places(queryset.model, changes, prefix="to "))
        return _compiled(query)

    try:
        return _kept.get((rows, shape), compile_).execute(values)
    except EmptyResultSet:  # no row can be meant, so there is nothing to ask the database
        return 0


def select_first(rows: Rows, where: dict[str, Any]) -> list[Any] | None:
    """``rows().filter(**where).first()``, where ``rows`` gives an ordered ``values_list``."""
    shape, values = _shape(where, {})

    def compile_() -> Compiled:
        return _compiled(_filtered(rows(), where)[:1].query)

    try:
        found = _kept.get((rows, shape), compile_).fetch(values)
    except EmptyResultSet:
        return None
    return found[0] if found else None


def insert(row: Model) -> None:
    """``row.save(force_insert=True)`` without signals; a key from the database is not read back."""
    model = type(row)
    fields = [field for field in model._meta.concrete_fields if field is not model._meta.auto_field]

    def compile_() -> Compiled:
        places = {field.attname: Place(field.attname, field) for field in fields}
        query = InsertQuery(model)
        query.insert_values(fields, [model(**places)], raw=True)
        return _compiled(query)

    values = {field.attname: getattr(row, field.attname) for field in fields}
    _kept.get(model, compile_).execute(values)
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS


def _shape(where: dict[str, Any], changes: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """What two executions must have in common, and the values in which they may differ."""
    shape: list[Any] = []
    values: dict[str, Any] = {}
    for prefix, given in (("", where), ("to ", changes)):
        for name, value in given.items():
            is_part = _is_part_of_the_text(value) or (value is None and not prefix)
            shape.append((prefix, name, value if is_part else ""))
            if not is_part:
                values[prefix + name] = value
    return tuple(shape), values


def _is_part_of_the_text(value: Any) -> bool:
    """Expressions and lists to choose from are compiled; other values are filled in."""
    return isinstance(value, tuple) or hasattr(value, "resolve_expression")


def _filtered(queryset: QuerySet[Any], where: dict[str, Any]) -> QuerySet[Any]:
    return queryset.filter(**_places(queryset.model, where))


def _places(model: type[Model], given: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    return {
        name: value
        if _is_part_of_the_text(value) or (value is None and not prefix)
        else Place(prefix + name, _field(model, name.partition("__")[0]))
        for name, value in given.items()
    }


def _field(model: type[Model], name: str) -> Any:
    return model._meta.pk if name == "pk" else model._meta.get_field(name)


def _compiled(query: Any) -> Compiled:
    compiler = query.get_compiler(connection=connection)
    text = compiler.as_sql()
    if isinstance(query, InsertQuery):
        ((sql, parameters),) = text
        return Compiled(sql, parameters)
    sql, parameters = text
    selected = [column for column, *_ in getattr(compiler, "select", None) or ()]
    return Compiled(sql, parameters, compiler.get_converters(selected))
