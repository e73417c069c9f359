"""Every way to narrow a list has an index that begins with it, and goes on in the list's order."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.db.models import Index, Model, QuerySet, UniqueConstraint
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from django_faceverify.api.filters import (
    BY_DECISION,
    BY_SIMILARITY,
    AttemptFilter,
    DeliveryFilter,
    VerificationFilter,
)
from django_faceverify.api.pages import (
    MostSimilar,
    NewestCreated,
    NewestDecided,
    NewestOccurred,
    NewestStarted,
)
from django_faceverify.console.queue import BUCKETS, Queue, Selection
from django_faceverify.models import (
    Judgement,
    Review,
    Verification,
    VerificationAttempt,
    WebhookDelivery,
)
from tests.api.asking import API, plain_case

#: filters that give a handful of rows at most, or rows that an index finds in any order
FEW = {("verificationattempt", "session_id"), ("verification", "session_id"),
       ("webhookdelivery", "verification")}  # fmt: skip

LISTS: tuple[tuple[Any, Any, Any], ...] = (
    (Verification, VerificationFilter, NewestCreated),
    (VerificationAttempt, AttemptFilter, NewestStarted),
    (WebhookDelivery, DeliveryFilter, NewestOccurred),
)


def columns(model: type[Model]) -> set[tuple[str, ...]]:
    """The columns of every index that stands in the database, without directions."""
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, model._meta.db_table)
    return {tuple(one["columns"]) for one in found.values() if one["index"] or one["unique"]}


def begins(model: type[Model], *wanted: str) -> bool:
    return any(have[: len(wanted)] == wanted for have in columns(model))


def order_of(pages: Any) -> str:
    return str(pages.ordering[0]).lstrip("-")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("model", "name", "filter_", "pages"),
    [
        pytest.param(model, name, one, pages, id=f"{model.__name__} {name}")
        for model, filters, pages in LISTS
        for name, one in filters.base_filters.items()
    ],
)
def test_a_filter_of_the_api(model: Any, name: str, filter_: Any, pages: Any) -> None:
    column = filter_.field_name
    if name in BY_DECISION:
        pages = NewestDecided
    if name in BY_SIMILARITY:
        pages = MostSimilar
    if (model._meta.model_name, name) in FEW:
        is_elsewhere = "__" in column
        owner = VerificationAttempt if is_elsewhere else model
        field: Any = owner._meta.get_field(column.rpartition("__")[2])
        assert begins(owner, field.column)
    elif column == order_of(pages):
        assert begins(model, column)
    else:
        assert begins(model, column, order_of(pages))


@pytest.mark.django_db
@pytest.mark.parametrize("model", [Verification, VerificationAttempt, WebhookDelivery])
def test_a_filter_of_the_admin(model: Any) -> None:
    console: Any = admin.site._registry[model]
    (newest,) = console.ordering
    order = newest.lstrip("-")
    for one in console.list_filter:
        named = one if isinstance(one, str | tuple) else one.parameter_name
        name = named[0] if isinstance(named, tuple) else named
        if name == "created":
            assert begins(model, "created_at")
        elif name == "similarity":
            assert begins(model, "similarity")
        else:
            assert begins(model, model._meta.get_field(name).column, order)
    assert begins(model, order)


@pytest.mark.django_db
@pytest.mark.parametrize("column", ["level", "reason_code", "provider", "band"])
def test_a_filter_of_the_queue(column: str) -> None:
    assert column in Selection(*"abcde").columns
    assert begins(Review, "stage", column, "since")


@pytest.mark.django_db
def test_the_buckets_of_the_queue_and_what_can_be_undone() -> None:
    assert begins(Review, "stage", "since")
    assert begins(Review, "claimed_by_id")
    assert begins(Judgement, "reviewer_id", "made_at")


@pytest.mark.django_db
def test_the_lists_of_everything_and_of_a_person_have_their_order() -> None:
    assert begins(Verification, "created_at")
    assert begins(Verification, "user_id", "created_at")
    assert begins(Verification, "idcard_number_index", "created_at")


def test_no_index_is_the_beginning_of_another() -> None:
    for model in (Verification, Review, Judgement, VerificationAttempt, WebhookDelivery):
        unique = [one for one in model._meta.constraints if isinstance(one, UniqueConstraint)]
        whole: list[Any] = [*model._meta.indexes, *unique]
        fields = [
            (tuple(name.lstrip("-") for name in one.fields), getattr(one, "condition", None))
            for one in whole
        ]
        for have, condition in fields:
            assert not [
                longer
                for longer, other in fields
                if longer != have and longer[: len(have)] == have and condition == other
            ]


def test_conditions_are_such_as_every_database_sees_through() -> None:
    indexes: list[Index] = [
        *Verification._meta.indexes,
        *VerificationAttempt._meta.indexes,
        *WebhookDelivery._meta.indexes,
    ]
    for index in indexes:
        if index.condition is not None:
            ((lookup, value),) = index.condition.children  # type: ignore[misc]
            column = str(lookup).removesuffix("__isnull")
            assert value is False
            assert column in [name.lstrip("-") for name in index.fields]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="reads the plans of another database")
@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("", "faceverify_created"),
        ("status=verified", "faceverify_status"),
        ("reason_code=no_face", "faceverify_reason"),
        ("level=default", "faceverify_level"),
        ("provider=default", "faceverify_provider"),
        ("reference=order-1", "faceverify_reference"),
        ("created_after=2026-01-01", "faceverify_created"),
        ("created_before=2036-01-01", "faceverify_created"),
        ("decided_after=2026-01-01", "faceverify_decided_at"),
        ("decided_before=2036-01-01", "faceverify_decided_at"),
        ("session_id=x", "faceverify_session_id"),
        ("similarity_min=61&similarity_max=69", "faceverify_similar"),
    ],
)
def test_postgresql_reads_the_index_in_the_order_of_the_list(
    reviewer: Any, query: str, index: str
) -> None:
    plain_case(reviewer)
    client = APIClient()
    client.force_authenticate(reviewer)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(f"{API}verifications/?{query}").status_code == 200
    (sql,) = [one["sql"] for one in queries if "LIMIT 26" in one["sql"]]
    assert index in plan(sql)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="reads the plans of another database")
@pytest.mark.parametrize("bucket", BUCKETS)
@pytest.mark.parametrize(
    ("filters", "index"),
    [
        ({}, "faceverify_review_stage"),
        ({"age": "day"}, "faceverify_review_stage"),
        ({"level": "default"}, "faceverify_review_level"),
        ({"reason": "low_similarity"}, "faceverify_review_reason"),
        ({"provider": "default"}, "faceverify_review_provider"),
        ({"band": "70-80"}, "faceverify_review_band"),
    ],
)
def test_postgresql_reads_the_queue_oldest_first(
    reviewer: Any, bucket: str, filters: dict[str, str], index: str
) -> None:
    queue = Queue(reviewer, Selection(bucket=bucket, **filters), Verification.objects.all())
    with CaptureQueriesContext(connection) as queries:
        assert queue.page == []
    for query in queries:
        assert (index if bucket != "mine" else "claimed_by_id") in plan(query["sql"])


@pytest.mark.skipif(connection.vendor != "postgresql", reason="reads the plans of another database")
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("rows", "order", "index"),
    [
        (Verification.objects.lost, "lease_until", "faceverify_d"),  # due or deadline: by stage
        (Verification.objects.in_doubt, "next_run_at", "faceverify_due"),
        (Verification.objects.overdue, "deadline_at", "faceverify_deadline"),
        (Verification.objects.abandoned, "expires_at", "faceverify_expires"),
        (lambda: Verification.objects.held("draft", 1), "ended_at", "faceverify_held"),
        (lambda: Verification.objects.redacted(1), "redacted_at", "faceverify_redacted"),
        (WebhookDelivery.objects.due, "due_at", "faceverify_webhook"),
    ],
)
def test_postgresql_finds_what_is_due_by_an_index_with_a_condition(
    rows: Any, order: str, index: str
) -> None:
    queryset: QuerySet[Any] = rows().order_by(order)[:500]
    with CaptureQueriesContext(connection) as queries:
        list(queryset)
    (query,) = queries
    assert index in plan(query["sql"])


def plan(sql: str) -> str:
    """What PostgreSQL would do in a table too big to be read or sorted as a whole."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        cursor.execute(f"EXPLAIN {sql}")
        return "\n".join(line for (line,) in cursor.fetchall())
