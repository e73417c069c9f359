"""``manage.py faceverify_webhooks``: endpoints and deliveries, for the shell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Count, Q
from django.utils import translation
from django.views.decorators.debug import sensitive_variables

from django_faceverify import webhooks
from django_faceverify.exceptions import InputError
from django_faceverify.models import WebhookDelivery, WebhookEndpoint
from django_faceverify.reasons import REASONS

State = WebhookDelivery.State

#: deliveries that are asked to be sent again by one statement
BATCH = 500


class Command(BaseCommand):
    help = "List, add, test, enable and disable webhook endpoints, and send deliveries again."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("list", help="endpoints, and how many deliveries wait or are dead")
        add = actions.add_parser("add", help="a new endpoint; prints its secret, once")
        add.add_argument("url")
        add.add_argument("--event", action="append", default=[], help="again for each; else all")
        add.add_argument("--description", default="")
        for name, what in (
            ("test", "send a message that is about no verification"),
            ("rotate", "make a new secret and print it, once"),
            ("enable", "send to it again"),
            ("disable", "send nothing to it any more"),
        ):
            actions.add_parser(name, help=what).add_argument("endpoint", type=UUID)
        again = actions.add_parser("resend", help="send deliveries again")
        again.add_argument("delivery", type=UUID, nargs="*")
        again.add_argument("--dead", action="store_true", help="all that were given up")
        again.add_argument("--endpoint", type=UUID, help="of this endpoint only, with --dead")

    def handle(self, *, action: str, **options: Any) -> None:
        act: Callable[..., None] = getattr(self, f"do_{action}")
        try:
            act(**options)
        except InputError as error:
            with translation.override("en"):
                raise CommandError(f"{REASONS[error.code].message} ({error.code})") from None

    def do_list(self, **options: Any) -> None:
        endpoints = WebhookEndpoint.objects.defer("secret", "old_secret").annotate(
            waiting=Count("deliveries", filter=Q(deliveries__state__in=WebhookDelivery.OPEN)),
            dead=Count("deliveries", filter=Q(deliveries__state=State.DEAD)),
        )
        for endpoint in endpoints.order_by("created_at"):
            state = "enabled" if endpoint.is_enabled else f"disabled: {endpoint.disabled_reason}"
            events = ", ".join(endpoint.events) or "all events"
            self.stdout.write(
                f"{endpoint.pk}  {endpoint.url}  ({events}; {state}; "
                f"waiting {endpoint.waiting}, dead {endpoint.dead})"
            )

    @sensitive_variables()
    def do_add(self, *, url: str, event: list[str], description: str, **options: Any) -> None:
        endpoint, secret = webhooks.create_endpoint(url, events=event, description=description)
        self.stdout.write(f"{endpoint.pk}\n{secret}")

    def do_test(self, *, endpoint: UUID, **options: Any) -> None:
        delivery = webhooks.send_test(_find(endpoint))
        webhooks.deliver()
        delivery.refresh_from_db()
        answer = delivery.http_status or delivery.failure or "not sent yet"
        self.stdout.write(f"{delivery.pk}  {delivery.state}: {answer}")
        if delivery.state != State.DELIVERED:
            raise CommandError("It was not received.")

    @sensitive_variables()
    def do_rotate(self, *, endpoint: UUID, **options: Any) -> None:
        self.stdout.write(webhooks.rotate_secret(_find(endpoint)))

    def do_enable(self, *, endpoint: UUID, **options: Any) -> None:
        webhooks.enable(_find(endpoint))

    def do_disable(self, *, endpoint: UUID, **options: Any) -> None:
        webhooks.disable(_find(endpoint))

    def do_resend(
        self, *, delivery: list[UUID], dead: bool, endpoint: UUID | None, **options: Any
    ) -> None:
        if bool(delivery) == dead:
            raise CommandError("Name deliveries, or give --dead.")
        chosen = delivery
        if dead:
            rows = WebhookDelivery.objects.filter(state=State.DEAD)
            rows = rows.filter(endpoint=endpoint) if endpoint else rows
            chosen = list(rows.values_list("pk", flat=True))
        count = sum(
            webhooks.resend(chosen[start : start + BATCH]) for start in range(0, len(chosen), BATCH)
        )
        self.stdout.write(f"To be sent again: {count}")


def _find(endpoint_id: UUID) -> WebhookEndpoint:
    endpoint = WebhookEndpoint.objects.filter(pk=endpoint_id).first()
    if endpoint is None:
        raise CommandError("There is no such endpoint.")
    return endpoint
