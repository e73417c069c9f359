"""Counting that costs the same for ten thousand rows and for ten million."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.utils.functional import cached_property

#: as far as a list counts, and as far as it can be paged through
COUNT_LIMIT = 10_000


class CappedPaginator(Paginator):  # type: ignore[type-arg]  # the stubs' parameter is not in Django
    """Counts exactly up to ``COUNT_LIMIT``; beyond it, ``is_capped`` says "more than that".

    Pages beyond the limit do not exist: whoever needs them wants a filter.
    """

    @cached_property
    def count(self) -> int:
        return min(self._counted, COUNT_LIMIT)

    @property
    def is_capped(self) -> bool:
        return self._counted > COUNT_LIMIT

    @cached_property
    def _counted(self) -> int:
        # A bare key: neither sorting nor annotations are worth computing for a count.
        assert isinstance(self.object_list, QuerySet)  # noqa: S101 (what admin lists hand over)
        keys = self.object_list.order_by().values("pk")
        counted: int = keys[: COUNT_LIMIT + 1].count()
        return counted
