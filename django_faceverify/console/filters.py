"""List filters that an index serves, and that never ask the table which values it holds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.options import ModelAdmin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from django_faceverify.conf import app_settings
from django_faceverify.models import Verification

#: where one band of similarity ends and the next one begins; 100 belongs to the last
BAND_LIMITS = (0, 50, 60, 70, 80, 90, 100)


class LevelFilter(admin.SimpleListFilter):
    title = _("level")
    parameter_name = "level"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[Any, Any]]:
        return [(name, name) for name in app_settings.LEVELS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(level=self.value()) if self.value() else queryset


class ProviderFilter(admin.SimpleListFilter):
    title = _("provider")
    parameter_name = "provider"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[Any, Any]]:
        return [(alias, alias) for alias in app_settings.PROVIDERS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(provider=self.value()) if self.value() else queryset


class SimilarityFilter(admin.SimpleListFilter):
    """Bands, which begin with a number and end before the next."""

    title = _("similarity")
    parameter_name = "similarity"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[Any, Any]]:
        bands = reversed(list(pairwise(BAND_LIMITS)))
        return [(str(low), f"{low} – {high}") for low, high in bands]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**self.bounds(self.value()))

    @classmethod
    def bounds(cls, band: str | None) -> dict[str, int]:
        """Between which numbers the band is; nothing for what is no band."""
        for low, high in pairwise(BAND_LIMITS):
            if band == str(low):
                upper = "similarity__lte" if high == BAND_LIMITS[-1] else "similarity__lt"
                return {"similarity__gte": low, upper: high}
        return {}


class TypedFilter(admin.SimpleListFilter):
    """What is typed or picked, in a form of its own, beside choices if there are any.

    What cannot be read is said in a message, and the list is empty.
    """

    template = "django_faceverify/console/typed_filter.html"
    #: name, label and kind of each input
    inputs: tuple[tuple[str, Any, str], ...] = ()
    #: names that only links of the list hold
    linked: tuple[str, ...] = ()

    def __init__(
        self,
        request: HttpRequest,
        params: dict[str, list[str]],
        model: type[Any],
        model_admin: ModelAdmin[Any],
    ) -> None:
        super().__init__(request, params, model, model_admin)
        for name in self.parameter_names():
            if name in params:
                self.used_parameters[name] = params.pop(name)[-1]

    @classmethod
    def parameter_names(cls) -> tuple[str, ...]:
        typed = (name for name, _label, _kind in cls.inputs)
        return (str(cls.parameter_name), *typed, *cls.linked)

    def expected_parameters(self) -> list[str | None]:
        return [*self.parameter_names()]

    def has_output(self) -> bool:
        return True

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[Any, Any]]:
        return []

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """All and the lookups; what is picked replaces what was typed."""
        own = [*self.parameter_names()]
        for value, display in [(None, _("All")), *self.lookup_choices]:
            changes = {str(self.parameter_name): value}
            is_selected = self.value() == value if value else not self.used_parameters
            query = changelist.get_query_string(changes, remove=own)
            yield {"selected": is_selected, "query_string": query, "display": display}
        self.kept = [(name, at) for name, at in changelist.params.items() if name not in own]
        self.boxes = [
            {"name": name, "label": label, "kind": kind, "value": self.typed(name)}
            for name, label, kind in self.inputs
        ]

    def typed(self, name: str) -> str:
        return str(self.used_parameters.get(name, "")).strip()

    def refuse(self, request: HttpRequest, queryset: QuerySet[Any], why: str) -> QuerySet[Any]:
        messages.error(request, why)
        return queryset.none()


class CreatedFilter(TypedFilter):
    """From a recent midnight on, or whole days; a drill-down by date would read the table.

    A list that goes on with older cases says by ``created_before`` from which moment.
    """

    title = _("created")
    parameter_name = "created"
    days_back = {"today": 0, "week": 6, "month": 29}
    inputs = (("created_from", _("From day"), "date"), ("created_to", _("To day"), "date"))
    linked = ("created_before",)

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[Any, Any]]:
        return [("today", _("Today")), ("week", _("Past 7 days")), ("month", _("Past 30 days"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        try:
            first, last = _day(self.typed("created_from")), _day(self.typed("created_to"))
        except ValueError:
            why = gettext("This is not a day. Write it like 2026-01-31.")
            return self.refuse(request, queryset, why)
        days = self.days_back.get(self.value() or "")
        if days is not None:
            first = timezone.localdate() - timedelta(days=days)
        if first:
            queryset = queryset.filter(created_at__gte=_midnight(first))
        if last:
            queryset = queryset.filter(created_at__lt=_midnight(last + timedelta(days=1)))
        if self.before:
            queryset = queryset.filter(created_at__lt=self.before)
        return queryset

    @property
    def before(self) -> datetime | None:
        """The moment from which a list goes on; what is none chooses nothing."""
        return moment_in(self.typed("created_before"))


class UserFilter(TypedFilter):
    """By the primary key of an account: an address should not hold a name."""

    title = _("user")
    parameter_name = "user"
    inputs = (("user", _("Account id"), "text"),)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        typed = self.typed("user")
        if not typed:
            return queryset
        key: Any = Verification._meta.get_field("user").target_field
        try:
            value = key.clean(typed, None)
        except ValidationError:
            return self.refuse(request, queryset, gettext("No account can have this id."))
        return queryset.filter(user_id=value)


class ReasonFilter(admin.ChoicesFieldListFilter):
    """All reasons: too many to stand open beside the list."""

    template = "django_faceverify/console/closed_filter.html"


def _day(text: str) -> date | None:
    """A day; ``ValueError`` for what is none, or none that a database can hold."""
    if not text:
        return None
    day = parse_date(text)
    if day is None or not _can_be_held(day):
        raise ValueError
    return day


def moment_in(text: str) -> datetime | None:
    """A moment with its offset, as our links hold it; ``None`` for anything else."""
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    return moment if moment and moment.tzinfo and _can_be_held(moment) else None


def _can_be_held(day: date) -> bool:
    """Whether every database can hold it, in any time zone."""
    return 1970 <= day.year < 9000


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
