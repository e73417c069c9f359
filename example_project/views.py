"""The landing page: where to click and what to try."""

from __future__ import annotations

from typing import TypeGuard
from urllib.parse import urljoin

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from django_faceverify.providers import providers
from django_faceverify.providers.base import Provider
from django_faceverify.providers.http import HTTPProvider
from django_faceverify.sandbox import scenario_number
from django_faceverify.sandbox.scenarios import EXAMPLE, EXAMPLE_NUMBER, SCENARIOS
from example_project.accounts import ACCOUNTS


@require_safe
def landing(request: HttpRequest) -> HttpResponse:
    provider = providers["default"]
    scenarios = [(scenario_number(name), scenario) for name, scenario in SCENARIOS.items()]
    return render(
        request,
        "example_project/landing.html",
        {
            "site": request.build_absolute_uri("/").rstrip("/"),
            "sandbox": urljoin(provider.endpoint, "/") if _is_sandbox(provider) else "",
            "accounts": ACCOUNTS,
            "number": scenario_number("001"),
            "scenarios": [*scenarios, (EXAMPLE_NUMBER, EXAMPLE)],
        },
    )


def _is_sandbox(provider: Provider) -> TypeGuard[HTTPProvider]:
    return isinstance(provider, HTTPProvider) and provider.is_sandbox
