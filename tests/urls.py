"""URLs of the test suite: the app where a site would put it, and the admin."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []
