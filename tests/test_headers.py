"""Every header of an answer with a face or an identity, in both doors."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from django_faceverify.headers import PHOTO_HEADERS
from django_faceverify.models import Verification
from tests.console.conftest import page_of

#: written out, so that a header that is taken away shows
PRIVATE = [
    ("Cache-Control", "no-store, private"),
    ("X-Content-Type-Options", "nosniff"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Referrer-Policy", "same-origin"),
]
PHOTO = [
    *PRIVATE[:-1],
    ("Referrer-Policy", "no-referrer"),
    ("Content-Type", "image/jpeg"),
    ("Content-Disposition", 'inline; filename="photo.jpg"'),
    ("Content-Security-Policy", "default-src 'none'; sandbox"),
]
WHY = {"reason_code": "complaint", "note": "complaint 4711"}


@pytest.fixture
def client(db: None, client: Client, settings: Any) -> Client:
    """The superuser on a site whose own middleware sets headers too."""
    settings.MIDDLEWARE = [
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.http.ConditionalGetMiddleware",
        "django.middleware.gzip.GZipMiddleware",
        *settings.MIDDLEWARE,
    ]
    settings.SECURE_REFERRER_POLICY = "unsafe-url"
    client.force_login(User.objects.create_superuser("root"))
    return client


@pytest.mark.parametrize("door", ["api", "admin"])
@pytest.mark.parametrize(("header", "value"), PHOTO)
def test_a_photo(
    client: Client, verification: Verification, door: str, header: str, value: str
) -> None:
    response = client.get(photo_address(verification, door))
    assert response.status_code == 200
    assert response.content.startswith(b"\xff\xd8\xff")
    assert_says(response, header, value)


@pytest.mark.parametrize("door", ["api", "admin"])
def test_a_photo_is_never_compared_with_what_somebody_kept(
    client: Client, verification: Verification, door: str
) -> None:
    response = client.get(photo_address(verification, door))
    assert "ETag" not in response.headers
    assert "Last-Modified" not in response.headers
    assert dict(PHOTO).keys() - {"Content-Type"} == PHOTO_HEADERS.keys()


@pytest.mark.parametrize("door", ["api", "admin"])
@pytest.mark.parametrize(("header", "value"), PRIVATE)
def test_an_identity(
    client: Client, verification: Verification, door: str, header: str, value: str
) -> None:
    address = {
        "api": f"/kyc/api/v1/verifications/{verification.pk}/reveal/",
        "admin": page_of(verification, "reveal"),
    }[door]
    response = client.post(address, WHY)
    assert response.status_code == 200
    assert_says(response, header, value)
    assert "ETag" not in response.headers


def assert_says(response: Any, header: str, value: str) -> None:
    """The header has this value; to forbid more than we do, the admin may add directives."""
    if header == "Cache-Control":
        assert set(value.split(", ")) <= set(response.headers[header].split(", "))
        assert not {"public", "immutable"} & set(response.headers[header].split(", "))
    else:
        assert response.headers[header] == value


def photo_address(verification: Verification, door: str) -> str:
    photo = verification.photos.get()
    return {
        "api": f"/kyc/api/v1/verifications/{verification.pk}/photos/{photo.pk}/",
        "admin": page_of(verification, "photo", photo.pk),
    }[door]
