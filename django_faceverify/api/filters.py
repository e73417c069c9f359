"""By what lists can be narrowed. A parameter that is not known is refused, not ignored."""

from __future__ import annotations

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import QuerySet
from django.http import QueryDict
from django_filters import (  # type: ignore[import-untyped]
    CharFilter,
    ChoiceFilter,
    FilterSet,
    IsoDateTimeFilter,
    NumberFilter,
    UUIDFilter,
)
from django_filters.utils import translate_validation  # type: ignore[import-untyped]

from django_faceverify.api.pages import EARLIEST, LATEST, PAGE_PARAMETERS
from django_faceverify.api.problems import bad_parameter
from django_faceverify.models import Verification, WebhookDelivery
from django_faceverify.reasons import ReasonCode


def _text(field_name: str) -> CharFilter:
    return CharFilter(field_name=field_name, max_length=100, strip=False)


def _score(lookup: str) -> NumberFilter:
    return NumberFilter("similarity", lookup, min_value=0, max_value=100)


def _moment(field_name: str, lookup: str) -> IsoDateTimeFilter:
    bounds = [MinValueValidator(EARLIEST), MaxValueValidator(LATEST)]
    return IsoDateTimeFilter(field_name, lookup, validators=bounds)


class VerificationFilter(FilterSet):  # type: ignore[misc]
    """Ranges include their ends."""

    status = ChoiceFilter(choices=Verification.Status.choices)
    reason_code = ChoiceFilter(choices=ReasonCode.choices)
    level = _text("level")
    provider = _text("provider")
    reference = _text("reference")
    session_id = _text("attempts__session_id")
    similarity_min = _score("gte")
    similarity_max = _score("lte")
    created_after = _moment("created_at", "gte")
    created_before = _moment("created_at", "lte")
    decided_after = _moment("decided_at", "gte")
    decided_before = _moment("decided_at", "lte")


#: by these a person could ask for what their own representation does not say
STAFF_ONLY = frozenset(
    {"reason_code", "provider", "session_id", "similarity_min", "similarity_max"}
)


#: lists that are narrowed by one of these are in the order of the decisions
BY_DECISION = frozenset({"decided_after", "decided_before"})
#: else, those that are narrowed by one of these are in that of creation, like most
BY_CREATION = frozenset({"created_after", "created_before"})
#: else, those that are narrowed by one of these begin with the highest similarity
BY_SIMILARITY = frozenset({"similarity_min", "similarity_max"})

#: what can be shown along with each verification, and is for staff
EXPANDABLE = frozenset({"attempts"})
EXPAND = "expand"


class AttemptFilter(FilterSet):  # type: ignore[misc]
    session_id = _text("session_id")


class DeliveryFilter(FilterSet):  # type: ignore[misc]
    state = ChoiceFilter(choices=WebhookDelivery.State.choices)
    event = _text("event")
    endpoint = UUIDFilter("endpoint_id")
    verification = UUIDFilter("verification_id")


def narrow(
    rows: QuerySet[Any],
    parameters: QueryDict,
    filters: type[FilterSet],
    *,
    is_staff: bool = True,
    more: tuple[str, ...] = (),
) -> QuerySet[Any]:
    """The rows that match; ``ValidationError`` for a bad, unknown or forbidden parameter.

    ``more`` names the parameters that are read elsewhere.
    """
    known = PAGE_PARAMETERS | set(filters.base_filters) | set(more)
    for name, values in parameters.lists():
        if name not in known:
            raise bad_parameter(name[:50], "unknown_parameter")
        if len(values) > 1:
            raise bad_parameter(name, "repeated_parameter")
        if name in filters.base_filters and not values[0]:
            raise bad_parameter(name, "empty_parameter")
        if name in STAFF_ONLY and not is_staff:
            raise bad_parameter(name, "staff_only")
    filterset = filters(parameters, rows)
    if not filterset.is_valid():
        raise translate_validation(filterset.errors)
    matching: QuerySet[Any] = filterset.qs
    return matching


def expansions(parameters: QueryDict, *, is_staff: bool) -> frozenset[str]:
    """What shall be shown along, by the parameter ``expand``; ``ValidationError`` for others."""
    values = parameters.getlist(EXPAND)
    if not values:
        return frozenset()
    if not is_staff:
        raise bad_parameter(EXPAND, "staff_only")
    names = frozenset(values[0].split(","))
    if len(values) > 1:
        raise bad_parameter(EXPAND, "repeated_parameter")
    if names - EXPANDABLE:
        raise bad_parameter(EXPAND, "expand_invalid")
    return names
