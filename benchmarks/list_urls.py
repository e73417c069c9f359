"""The REST API and the admin, and their stock peers."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from benchmarks.stock import StockList, stock_site

urlpatterns = [
    path("kyc/", include("django_faceverify.urls")),
    path("admin/", admin.site.urls),
    path("stock/", stock_site.urls),
    path("stock-api/", StockList.as_view()),
]
