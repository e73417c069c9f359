"""What a site includes: ``path("kyc/", include("django_faceverify.urls"))``."""

from __future__ import annotations

from django.urls import include, path

app_name = "faceverify"

urlpatterns = [path("api/v1/", include("django_faceverify.api.urls"))]
