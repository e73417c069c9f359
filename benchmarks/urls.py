"""The REST API where a site would put it."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [path("kyc/", include("django_faceverify.urls"))]
