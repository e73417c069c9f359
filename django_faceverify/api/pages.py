"""Lists come in pages with a cursor, so the last page costs as little as the first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_datetime
from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response

from django_faceverify.api.problems import bad_parameter

#: moments outside of these cannot be stored, or not be turned to UTC, on some database
EARLIEST = datetime(1970, 1, 1, tzinfo=timezone.utc)
LATEST = datetime(9000, 1, 1, tzinfo=timezone.utc)

#: a longer number is no honest wish
MAX_PAGE_SIZE_DIGITS = 9
#: What orders rows of one moment. It goes the way in which MariaDB's indexes end anyway;
#: the other way, it would sort the whole table for a page.
TIE_BREAK = "pk"

#: the parameters that every list takes
PAGE_PARAMETERS = frozenset({"cursor", "page_size", "format"})


class Pages(CursorPagination):
    """Pages of 25, or of as many as are asked for up to 100."""

    page_size = 25
    max_page_size = 100
    page_size_query_param = "page_size"

    def get_page_size(self, request: Request) -> int:
        asked = request.query_params.get("page_size", str(self.page_size))
        is_number = asked.isascii() and asked.isdecimal() and len(asked) <= MAX_PAGE_SIZE_DIGITS
        if not is_number or int(asked) == 0:
            raise bad_parameter("page_size", "page_size_invalid")
        return min(int(asked), self.max_page_size)

    def decode_cursor(self, request: Request) -> Cursor | None:
        """Like the framework's, but a cursor that is not ours never reaches the database."""
        try:
            cursor: Cursor | None = super().decode_cursor(request)
        except NotFound:
            raise bad_parameter("cursor", "cursor_invalid") from None
        if cursor and cursor.position is not None and not self.is_position(str(cursor.position)):
            raise bad_parameter("cursor", "cursor_invalid")
        return cursor

    def is_position(self, text: str) -> bool:
        """Whether a cursor may point there."""
        raise NotImplementedError


class _ByTime(Pages):
    def is_position(self, text: str) -> bool:
        try:
            moment = parse_datetime(text)
        except ValueError:
            return False
        return moment is not None and moment.tzinfo is not None and EARLIEST < moment < LATEST


class NewestCreated(_ByTime):
    ordering = ("-created_at", TIE_BREAK)


class NewestDecided(_ByTime):
    ordering = ("-decided_at", TIE_BREAK)


class MostSimilar(Pages):
    """The highest similarity first. Many have the same one, so a cursor holds the key as well."""

    ordering = ("-similarity", TIE_BREAK)

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        self.request, self.base_url = request, request.build_absolute_uri()
        self.page_size = self.get_page_size(request)
        self.cursor = self.decode_cursor(request)
        is_back = bool(self.cursor and self.cursor.reverse)
        is_inside = self.cursor is not None and self.cursor.position is not None
        rows = queryset.order_by(*(("similarity", f"-{TIE_BREAK}") if is_back else self.ordering))
        if self.cursor is not None and self.cursor.position is not None:
            rows = rows.filter(_beyond(*_read_place(str(self.cursor.position)), is_back=is_back))
        found = list(rows[: self.page_size + 1])
        is_more = len(found) > self.page_size
        self.page: list[Any] = found[: self.page_size][:: -1 if is_back else 1]
        self.has_next, self.has_previous = (is_inside, is_more) if is_back else (is_more, is_inside)
        return self.page

    def get_next_link(self) -> str | None:
        return self._link(self.page[-1:], is_back=False) if self.has_next else None

    def get_previous_link(self) -> str | None:
        return self._link(self.page[:1], is_back=True) if self.has_previous else None

    def _link(self, row: list[Any], *, is_back: bool) -> str | None:
        if not row:
            return None
        place: Any = f"{row[0].similarity!r} {row[0].pk}"
        link: str = self.encode_cursor(Cursor(offset=0, reverse=is_back, position=place))
        return link

    def is_position(self, text: str) -> bool:
        try:
            similarity, _key = _read_place(text)
        except ValueError:
            return False
        return 0 <= similarity <= 100


def _read_place(text: str) -> tuple[float, UUID]:
    similarity, key = text.split(" ")
    return float(similarity), UUID(key)


def _beyond(similarity: float, key: UUID, *, is_back: bool) -> Q:
    """What comes after a row; the first condition is where an index begins to read."""
    side, other = ("gt", "lt") if is_back else ("lt", "gt")
    return Q(**{f"similarity__{side}e": similarity}) & (
        Q(**{f"similarity__{side}": similarity})
        | Q(similarity=similarity, **{f"{TIE_BREAK}__{other}": key})
    )


class NewestStarted(_ByTime):
    ordering = ("-started_at", TIE_BREAK)


class NewestOccurred(_ByTime):
    ordering = ("-occurred_at", TIE_BREAK)


class Numbered(Pages):
    ordering: str | tuple[str, ...] = "number"

    def is_position(self, text: str) -> bool:
        return text.isascii() and text.isdecimal() and len(text) <= 9


class NumberedAttempts(Numbered):
    """Those of a shadow have numbers of their own."""

    ordering = ("number", "role")


def page(
    request: Request,
    rows: QuerySet[Any],
    represent: Callable[[Any], dict[str, Any]],
    pages: Pages,
) -> Response:
    """One page: ``next`` and ``previous`` are addresses or null, ``results`` the rows."""
    found = pages.paginate_queryset(rows, request)
    return pages.get_paginated_response([represent(row) for row in found or ()])
