"""URLs of the test suite: the app where a site would put it, and the admin."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("kyc/", include("django_faceverify.urls")),
    path("admin/", admin.site.urls),
]
