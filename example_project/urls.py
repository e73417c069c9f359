"""The site: its landing page, the face verification, the admin."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from example_project.receiver import receive
from example_project.views import landing

urlpatterns = [
    path("", landing, name="landing"),
    path("kyc/", include("django_faceverify.urls")),
    path("hooks/", receive, name="receive-webhook"),
    path("admin/", admin.site.urls),
]
