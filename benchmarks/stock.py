"""The peers: the admin and the API as they come, over the same rows. Not to be improved."""

from __future__ import annotations

from django.contrib import admin
from rest_framework import generics, pagination, serializers

from django_faceverify.models import Verification


class StockAdmin(admin.ModelAdmin):
    list_display = ("id", "status", "similarity", "reason_code", "reference", "user", "created_at")
    list_filter = ("status", "reason_code", "level", "provider", "created_at")
    date_hierarchy = "created_at"
    ordering = ("-created_at",)
    search_fields = ("reference", "attempts__session_id")


stock_site = admin.AdminSite("stock")
stock_site.register(Verification, StockAdmin)


class StockSerializer(serializers.ModelSerializer):
    class Meta:
        model = Verification
        fields = ("id", "status", "reason_code", "similarity", "level", "reference", "created_at")


class StockList(generics.ListAPIView):
    queryset = Verification.objects.order_by("-created_at")
    serializer_class = StockSerializer
    pagination_class = pagination.LimitOffsetPagination
    permission_classes = ()
