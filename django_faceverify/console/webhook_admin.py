"""Webhooks in the admin: the endpoints with their secrets shown once, and what was sent."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from django_faceverify import access, webhooks
from django_faceverify.console import cells
from django_faceverify.console.records import RecordAdmin
from django_faceverify.exceptions import InputError
from django_faceverify.models import WebhookDelivery, WebhookEndpoint
from django_faceverify.reasons import REASONS


class WebhookEndpointForm(forms.ModelForm):  # type: ignore[type-arg]  # the stubs' parameter is not in Django
    events = forms.MultipleChoiceField(
        label=_("Events"),
        required=False,
        choices=[(event, event) for event in webhooks.EVENTS],
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Which are sent; none means all."),
    )

    class Meta:
        model = WebhookEndpoint
        fields = ("url", "description", "events")

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if not self.errors:
            try:
                webhooks.describe(
                    self.instance,
                    data["url"],
                    events=data["events"],
                    description=data["description"],
                )
            except InputError as error:
                self.add_error(error.field, str(REASONS[error.code].message))
            else:
                data["url"] = self.instance.url
        return data


class WebhookEndpointAdmin(RecordAdmin):
    """Who is told. A secret is shown when it is made, and never again."""

    form = WebhookEndpointForm
    actions = ("send_test", "switch_on", "switch_off", "rotate")
    list_display = ("where", "description", "health", "failing", "created")
    list_filter = ("is_enabled",)
    ordering = ("-created_at",)
    fields = ("url", "description", "events")
    secret_template = "django_faceverify/console/webhook_secret.html"  # noqa: S105 (a path)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return access.may(request.user, "django_faceverify.add_webhookendpoint")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return access.may(request.user, "django_faceverify.change_webhookendpoint")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return access.may(request.user, "django_faceverify.delete_webhookendpoint")

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookEndpoint]:
        endpoints: QuerySet[WebhookEndpoint] = super().get_queryset(request)
        return endpoints.defer("secret", "old_secret")

    def save_model(
        self, request: HttpRequest, obj: WebhookEndpoint, form: Any, change: bool
    ) -> None:
        if change:
            webhooks.store(obj)
        else:
            webhooks.store_new(obj)

    @sensitive_variables("secret")
    def response_add(
        self, request: HttpRequest, obj: WebhookEndpoint, post_url_continue: str | None = None
    ) -> HttpResponse:
        """The page with the secret, instead of a message: those are kept in cookies."""
        return self.show_secret(request, obj, obj.secret.unseal())

    @sensitive_variables("secret")
    def show_secret(
        self, request: HttpRequest, endpoint: WebhookEndpoint, secret: str
    ) -> HttpResponse:
        context = {
            "endpoint": endpoint,
            "secret": secret,
            "list_url": self.page_url("webhookendpoint", "changelist"),
        }
        return self.page(request, self.secret_template, gettext("Secret"), context)

    @admin.action(description=_("Send a test message"), permissions=["change"])
    def send_test(self, request: HttpRequest, queryset: QuerySet[WebhookEndpoint]) -> None:
        for endpoint in queryset:
            webhooks.send_test(endpoint)
        messages.info(request, _("On its way: look at the deliveries for what comes of it."))

    @admin.action(description=_("Enable"), permissions=["change"])
    def switch_on(self, request: HttpRequest, queryset: QuerySet[WebhookEndpoint]) -> None:
        for endpoint in queryset:
            webhooks.enable(endpoint)

    @admin.action(description=_("Disable"), permissions=["change"])
    def switch_off(self, request: HttpRequest, queryset: QuerySet[WebhookEndpoint]) -> None:
        for endpoint in queryset:
            webhooks.disable(endpoint)

    @admin.action(description=_("Make a new secret"), permissions=["change"])
    @sensitive_variables()
    def rotate(
        self, request: HttpRequest, queryset: QuerySet[WebhookEndpoint]
    ) -> HttpResponse | None:
        """For one at a time, since its secret is shown."""
        chosen = list(queryset[:2])
        if len(chosen) != 1:
            messages.error(request, _("Please choose one endpoint: its new secret is shown."))
            return None
        return self.show_secret(request, chosen[0], webhooks.rotate_secret(chosen[0]))

    @admin.display(description=_("address"))
    def where(self, endpoint: WebhookEndpoint) -> str:
        return endpoint.url

    @admin.display(description=_("state"))
    def health(self, endpoint: WebhookEndpoint) -> SafeString | str:
        if endpoint.is_enabled:
            return cells.badge("verified", gettext("enabled"))
        why = endpoint.get_disabled_reason_display()
        return cells.stacked(cells.badge("rejected", gettext("disabled")), why)

    @admin.display(description=_("failing since"))
    def failing(self, endpoint: WebhookEndpoint) -> str:
        return cells.moment(endpoint.failing_since) if endpoint.failing_since else cells.NOTHING

    @admin.display(description=_("created"))
    def created(self, endpoint: WebhookEndpoint) -> str:
        return cells.moment(endpoint.created_at)


#: the colour of a state, by the status that has it
COLOURS = {"waiting": "processing", "sending": "processing", "dead": "rejected"}


class WebhookDeliveryAdmin(RecordAdmin):
    """What was sent, is waiting, or was given up."""

    actions = ("resend",)
    list_display = (
        "occurred",
        "event",
        "receiver",
        "case",
        "state_badge",
        "attempt_count",
        "http_status",
        "took",
        "next_try",
    )
    list_filter = ("state",)
    list_select_related = ("endpoint",)
    ordering = ("-occurred_at",)
    search_fields = ("pk",)
    search_help_text = _("An exact id, of a delivery or of a verification.")
    nothing_found = _("Neither a delivery nor a verification has exactly this id.")

    def has_resend_permission(self, request: HttpRequest) -> bool:
        return access.may(request.user, "django_faceverify.resend_webhookdelivery")

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookDelivery]:
        deliveries: QuerySet[WebhookDelivery] = super().get_queryset(request)
        return deliveries.defer("endpoint__secret", "endpoint__old_secret")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[WebhookDelivery], search_term: str
    ) -> tuple[QuerySet[WebhookDelivery], bool]:
        if not search_term:
            return queryset, False
        try:
            key = UUID(search_term.strip())
        except ValueError:
            return queryset.none(), False
        return queryset.filter(Q(pk=key) | Q(verification_id=key)), False

    @admin.action(description=_("Send again"), permissions=["resend"])
    def resend(self, request: HttpRequest, queryset: QuerySet[WebhookDelivery]) -> None:
        count = webhooks.resend(queryset.values_list("pk", flat=True))
        told = ngettext(
            "%(count)d message is sent again.", "%(count)d messages are sent again.", count
        )
        messages.info(request, told % {"count": count})

    @admin.display(description=_("occurred at"))
    def occurred(self, delivery: WebhookDelivery) -> str:
        return cells.moment(delivery.occurred_at)

    @admin.display(description=_("webhook endpoint"))
    def receiver(self, delivery: WebhookDelivery) -> str:
        return delivery.endpoint.description or delivery.endpoint.url

    @admin.display(description=_("verification"))
    def case(self, delivery: WebhookDelivery) -> SafeString | str:
        if delivery.verification_id is None:
            return cells.NOTHING
        url = self.page_url("verification", "change", delivery.verification_id)
        return format_html('<a href="{}">{}</a>', url, str(delivery.verification_id)[-8:])

    @admin.display(description=_("state"))
    def state_badge(self, delivery: WebhookDelivery) -> SafeString | str:
        colour = COLOURS.get(delivery.state, "verified")
        badge = cells.badge(colour, delivery.get_state_display())
        return cells.stacked(badge, delivery.get_failure_display())

    @admin.display(description=_("duration"))
    def took(self, delivery: WebhookDelivery) -> str:
        return cells.duration(delivery.duration_ms)

    @admin.display(description=_("next try at"))
    def next_try(self, delivery: WebhookDelivery) -> str:
        return cells.moment(delivery.due_at) if delivery.due_at else cells.NOTHING
