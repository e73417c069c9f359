"""Webhooks for staff: who is told, what was sent, and to send it again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from django_faceverify import webhooks
from django_faceverify.access import require
from django_faceverify.api.bodies import read_fields
from django_faceverify.api.door import Door
from django_faceverify.api.filters import DeliveryFilter, narrow
from django_faceverify.api.pages import NewestCreated, NewestOccurred, page
from django_faceverify.exceptions import Conflict
from django_faceverify.models import IdempotencyRecord, WebhookDelivery, WebhookEndpoint

VIEW_ENDPOINT = "django_faceverify.view_webhookendpoint"
VIEW_DELIVERY = "django_faceverify.view_webhookdelivery"
RESEND = "django_faceverify.resend_webhookdelivery"


class EndpointList(Door):
    def get(self, request: Request) -> Response:
        """All endpoints, newest first, without their secrets."""
        require(request.user, VIEW_ENDPOINT)
        rows = WebhookEndpoint.objects.defer("secret", "old_secret")
        return page(request, rows, represent_endpoint, NewestCreated())


class DeliveryList(Door):
    def get(self, request: Request) -> Response:
        """All deliveries, newest first."""
        require(request.user, VIEW_DELIVERY)
        rows = narrow(WebhookDelivery.objects.all(), request.query_params, DeliveryFilter)
        return page(request, rows, represent_delivery, NewestOccurred())


class DeliveryResend(Door):
    def post(self, request: Request, delivery_id: str) -> Response:
        """Send one delivery again, with the same ``webhook-id``."""
        require(request.user, RESEND)
        read_fields(request)
        delivery = _find_delivery(delivery_id)
        if not webhooks.resend([delivery.pk]):
            raise Conflict("webhook_being_sent")
        delivery.refresh_from_db()
        return Response(represent_delivery(delivery), status=202)

    def replay(self, request: Request, record: IdempotencyRecord) -> Response:
        require(request.user, RESEND)
        delivery = _find_delivery(self.kwargs["delivery_id"])
        return Response(represent_delivery(delivery), status=record.http_status)


def represent_endpoint(endpoint: WebhookEndpoint) -> dict[str, Any]:
    return {
        "id": endpoint.pk,
        "url": endpoint.url,
        "description": endpoint.description,
        "events": endpoint.events,
        "is_enabled": endpoint.is_enabled,
        "disabled_at": endpoint.disabled_at,
        "disabled_reason": endpoint.disabled_reason,
        "failing_since": endpoint.failing_since,
        "created_at": endpoint.created_at,
    }


def represent_delivery(delivery: WebhookDelivery) -> dict[str, Any]:
    return {
        "id": delivery.pk,
        "endpoint": delivery.endpoint_id,
        "verification": delivery.verification_id,
        "event": delivery.event,
        "occurred_at": delivery.occurred_at,
        "state": delivery.state,
        "attempt_count": delivery.attempt_count,
        "failure": delivery.failure,
        "http_status": delivery.http_status,
        "duration_ms": delivery.duration_ms,
        "due_at": delivery.due_at,
        "delivered_at": delivery.delivered_at,
    }


def _find_delivery(delivery_id: str) -> WebhookDelivery:
    """The delivery, or the same ``NotFound`` for unknown and malformed ids."""
    try:
        found = WebhookDelivery.objects.filter(pk=UUID(delivery_id)).first()
    except ValueError:
        raise NotFound from None
    if found is None:
        raise NotFound
    return found
