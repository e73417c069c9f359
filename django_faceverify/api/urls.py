"""Which address of the API leads where; everything else is a problem document too."""

from __future__ import annotations

from django.urls import path, re_path

from django_faceverify.api.door import Nowhere
from django_faceverify.api.evidence import (
    AttemptList,
    PhotoFile,
    VerificationAttempts,
    VerificationEvents,
)
from django_faceverify.api.verifications import (
    VerificationCancel,
    VerificationDetail,
    VerificationList,
    VerificationPhotos,
    VerificationReview,
    VerificationSearch,
)

ONE = "verifications/<str:verification_id>/"

urlpatterns = [
    path("verifications/", VerificationList.as_view(), name="verification-list"),
    path("verifications/search/", VerificationSearch.as_view(), name="verification-search"),
    path(ONE, VerificationDetail.as_view(), name="verification"),
    path(f"{ONE}photos/", VerificationPhotos.as_view(), name="verification-photos"),
    path(f"{ONE}photos/<str:photo_id>/", PhotoFile.as_view(), name="photo-file"),
    path(f"{ONE}cancel/", VerificationCancel.as_view(), name="verification-cancel"),
    path(f"{ONE}review/", VerificationReview.as_view(), name="verification-review"),
    path(f"{ONE}attempts/", VerificationAttempts.as_view(), name="verification-attempts"),
    path(f"{ONE}events/", VerificationEvents.as_view(), name="verification-events"),
    path("attempts/", AttemptList.as_view(), name="attempt-list"),
    re_path("", Nowhere.as_view()),
]
