"""Photos leave only through a view that checks, records and forbids keeping."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from django_faceverify.models import Photo, Verification
from django_faceverify.models.photo import photo_storage
from tests.console.conftest import decided_as, page_of


@pytest.fixture
def photo(in_review: Verification) -> Photo:
    return in_review.photos.get()


def address(photo: Photo) -> str:
    return page_of(photo.verification, "photo", photo.pk)


def test_the_picture_and_its_headers(as_reviewer: Client, photo: Photo) -> None:
    response = as_reviewer.get(address(photo))
    assert response.status_code == 200
    assert response.content == photo.read()
    assert response.headers["Content-Type"] == "image/jpeg"
    assert response.headers["Content-Disposition"] == 'inline; filename="photo.jpg"'
    assert response.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert {"no-store", "private"} <= set(response.headers["Cache-Control"].split(", "))


def test_each_look_is_recorded_and_shown(as_reviewer: Client, reviewer: User, photo: Photo) -> None:
    as_reviewer.get(address(photo))
    event = photo.verification.events.get(action="photo_viewed")
    assert event.actor == f"user:{reviewer.pk}"
    assert event.data == {"photo": str(photo.pk)}
    page = as_reviewer.get(page_of(photo.verification)).content.decode()
    assert "reviewer · photo 1" in page


@pytest.mark.parametrize(
    ("codenames", "status"),
    [
        (["view_verification"], 403),
        (["view_verification", "review_verification"], 403),
        (["view_photo"], 403),
        (["view_verification", "view_photo"], 200),
    ],
)
def test_who_may_look(
    client: Client, staff: Callable[..., User], photo: Photo, codenames: list[str], status: int
) -> None:
    client.force_login(staff(*codenames))
    assert client.get(address(photo)).status_code == status
    looks = photo.verification.events.filter(action="photo_viewed")
    assert looks.count() == (status == 200)


def test_people_outside_the_staff_are_sent_to_the_login(
    client: Client, alice: User, photo: Photo
) -> None:
    assert client.get(address(photo)).status_code == 302
    client.force_login(alice)
    assert client.get(address(photo)).status_code == 302


def test_only_get(as_reviewer: Client, photo: Photo) -> None:
    assert as_reviewer.post(address(photo)).status_code == 405
    assert as_reviewer.head(address(photo)).status_code == 405


def test_a_photo_of_another_case(as_reviewer: Client, photo: Photo, bob: User) -> None:
    other = decided_as(bob, 72)
    assert as_reviewer.get(page_of(other, "photo", photo.pk)).status_code == 404


def test_a_photo_that_is_not_there(as_reviewer: Client, photo: Photo) -> None:
    assert as_reviewer.get(page_of(photo.verification, "photo", uuid4())).status_code == 404
    photo_storage().delete(photo.file_name)
    assert as_reviewer.get(address(photo)).status_code == 404
    Photo.objects.update(purged_at=timezone.now())
    assert as_reviewer.get(address(photo)).status_code == 404
