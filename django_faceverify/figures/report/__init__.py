"""The figures for people to read: each function is a query or two over the daily sums.

What is about now (the queue, today's calls) is asked of the tables themselves, through an
index and up to a bound.
"""

from __future__ import annotations

from django_faceverify.figures.report.calls import (
    Budget,
    CallReport,
    Calls,
    DayCost,
    budgets,
    calls,
    cost_by_day,
)
from django_faceverify.figures.report.cases import (
    DayOfCases,
    ReasonLine,
    SimilarityBand,
    cases_by_day,
    reasons,
    similarities,
    thresholds_now,
    whole,
)
from django_faceverify.figures.report.people import (
    QUEUE_LIMIT,
    QueueAge,
    Reviewing,
    Waiting,
    queue,
    reviewing,
    waiting,
)
from django_faceverify.figures.report.scope import Scope, counted_at, histograms, sums

__all__ = [
    "QUEUE_LIMIT",
    "Budget",
    "CallReport",
    "Calls",
    "DayCost",
    "DayOfCases",
    "QueueAge",
    "ReasonLine",
    "Reviewing",
    "Scope",
    "SimilarityBand",
    "Waiting",
    "budgets",
    "calls",
    "cases_by_day",
    "cost_by_day",
    "counted_at",
    "histograms",
    "queue",
    "reasons",
    "reviewing",
    "similarities",
    "sums",
    "thresholds_now",
    "waiting",
    "whole",
]
