"""Which address of the API leads where; everything else is a problem document too."""

from __future__ import annotations

from importlib.util import find_spec

from django.urls import path, re_path

from django_faceverify.api.consent import CurrentConsent
from django_faceverify.api.door import Nowhere
from django_faceverify.api.evidence import (
    AttemptList,
    PhotoFile,
    VerificationAttempts,
    VerificationEvents,
)
from django_faceverify.api.privileges import (
    VerificationExport,
    VerificationReopen,
    VerificationReopenConfirm,
    VerificationReveal,
)
from django_faceverify.api.stream import VerificationStream
from django_faceverify.api.verifications import (
    VerificationCancel,
    VerificationConsent,
    VerificationConsentWithdrawal,
    VerificationDetail,
    VerificationList,
    VerificationPhotos,
    VerificationRedact,
    VerificationReview,
    VerificationReviewUndo,
    VerificationSearch,
    VerificationToken,
    VerificationTokenRevocation,
)
from django_faceverify.api.webhooks import DeliveryList, DeliveryResend, EndpointList

if find_spec("drf_spectacular"):  # the extra "openapi"
    from django_faceverify.api.openapi.view import Description

ONE = "verifications/<str:verification_id>/"

addresses = [
    path("verifications/", VerificationList.as_view(), name="verification-list"),
    path("verifications/search/", VerificationSearch.as_view(), name="verification-search"),
    path(ONE, VerificationDetail.as_view(), name="verification"),
    path(f"{ONE}stream/", VerificationStream.as_view(), name="verification-stream"),
    path(f"{ONE}photos/", VerificationPhotos.as_view(), name="verification-photos"),
    path(f"{ONE}photos/<str:photo_id>/", PhotoFile.as_view(), name="photo-file"),
    path(f"{ONE}consent/", VerificationConsent.as_view(), name="verification-consent"),
    path(
        f"{ONE}consent/withdraw/",
        VerificationConsentWithdrawal.as_view(),
        name="verification-consent-withdraw",
    ),
    path(f"{ONE}cancel/", VerificationCancel.as_view(), name="verification-cancel"),
    path(f"{ONE}redact/", VerificationRedact.as_view(), name="verification-redact"),
    path(f"{ONE}review/", VerificationReview.as_view(), name="verification-review"),
    path(f"{ONE}review/undo/", VerificationReviewUndo.as_view(), name="verification-review-undo"),
    path(f"{ONE}reveal/", VerificationReveal.as_view(), name="verification-reveal"),
    path(f"{ONE}export/", VerificationExport.as_view(), name="verification-export"),
    path(f"{ONE}reopen/", VerificationReopen.as_view(), name="verification-reopen"),
    path(
        f"{ONE}reopen/confirm/",
        VerificationReopenConfirm.as_view(),
        name="verification-reopen-confirm",
    ),
    path(f"{ONE}token/", VerificationToken.as_view(), name="verification-token"),
    path(
        f"{ONE}token/revoke/",
        VerificationTokenRevocation.as_view(),
        name="verification-token-revoke",
    ),
    path(f"{ONE}attempts/", VerificationAttempts.as_view(), name="verification-attempts"),
    path(f"{ONE}events/", VerificationEvents.as_view(), name="verification-events"),
    path("consent/", CurrentConsent.as_view(), name="consent"),
    path("attempts/", AttemptList.as_view(), name="attempt-list"),
    path("webhook-endpoints/", EndpointList.as_view(), name="webhook-endpoint-list"),
    path("webhook-deliveries/", DeliveryList.as_view(), name="webhook-delivery-list"),
    path(
        "webhook-deliveries/<str:delivery_id>/resend/",
        DeliveryResend.as_view(),
        name="webhook-delivery-resend",
    ),
]
if find_spec("drf_spectacular"):
    addresses.append(path("schema/", Description.as_view(patterns=addresses), name="schema"))

urlpatterns = [*addresses, re_path("", Nowhere.as_view())]
