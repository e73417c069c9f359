"""Every method on every address, and what all answers have in common."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import Http404, UnreadablePostError
from rest_framework import exceptions
from rest_framework.test import APIClient

from django_faceverify.api.problems import answer_with_problem
from django_faceverify.exceptions import InputError, SealBroken
from django_faceverify.models import Photo
from tests.api.asking import API, VERIFICATIONS, assert_problem, in_review

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "X"]
ALLOWED = {
    "verifications/": "GET, HEAD, POST",
    "verifications/search/": "POST",
    "verifications/{id}/": "GET, HEAD",
    "verifications/{id}/photos/": "POST",
    "verifications/{id}/photos/{photo}/": "GET, HEAD",
    "verifications/{id}/consent/": "POST",
    "verifications/{id}/consent/withdraw/": "POST",
    "verifications/{id}/cancel/": "POST",
    "verifications/{id}/review/": "POST",
    "verifications/{id}/attempts/": "GET, HEAD",
    "verifications/{id}/events/": "GET, HEAD",
    "consent/": "GET, HEAD",
    "attempts/": "GET, HEAD",
    "webhook-endpoints/": "GET, HEAD",
    "webhook-deliveries/": "GET, HEAD",
    "webhook-deliveries/{id}/resend/": "POST",
}
NOWHERE = [
    "", "verifications", "nothing/", "verifications/{id}", "verifications/{id}/nothing/",
    "verifications//", "attempts/7/", "verifications/{id}/photos/{photo}/raw/", "../v1/", "é/",
    "%00/", "a" * 3000,
]  # fmt: skip


@pytest.fixture
def fill(alice: User) -> Any:
    case = in_review(alice)
    photo = Photo.objects.get()
    return lambda path: API + path.format(id=case.pk, photo=photo.pk)


@pytest.mark.parametrize("path", ALLOWED)
def test_methods(as_root: APIClient, fill: Any, path: str) -> None:
    allowed = ALLOWED[path].split(", ")
    for method in METHODS:
        response = as_root.generic(method, fill(path), "{}", "application/json")
        assert response.status_code < 500
        if method not in allowed:
            assert response.status_code == 405
            assert sorted(response["Allow"].split(", ")) == sorted(allowed)
        if response.status_code >= 400 and method != "HEAD":
            assert_problem(response, response.status_code)


@pytest.mark.parametrize("path", ALLOWED)
def test_methods_for_strangers(as_anonymous: APIClient, fill: Any, path: str) -> None:
    for method in METHODS:
        response = as_anonymous.generic(method, fill(path), "{}", "application/json")
        if method == "HEAD":
            assert response.status_code == 403
        else:
            assert_problem(response, 403, "not_authenticated")


@pytest.mark.parametrize("path", NOWHERE)
def test_nowhere(as_anonymous: APIClient, as_root: APIClient, fill: Any, path: str) -> None:
    for client in (as_anonymous, as_root):
        for method in ("GET", "POST", "DELETE", "OPTIONS"):
            assert_problem(client.generic(method, fill(path)), 404, "not_found")


def test_nothing_is_for_shared_caches(as_root: APIClient, fill: Any) -> None:
    for path in (*ALLOWED, *NOWHERE):
        cached = as_root.get(fill(path))["Cache-Control"]
        assert "no-store" in cached or cached == "private, no-cache"


@pytest.mark.parametrize(
    ("accept", "status"),
    [("*/*", 200), ("application/json; indent=2", 200), ("text/html,*/*;q=0.8", 200),
     ("text/html", 406), ("image/png", 406), ("garbage", 406), ("", 406), (";", 406)],
)  # fmt: skip
def test_accept(as_alice: APIClient, accept: str, status: int) -> None:
    response = as_alice.get(VERIFICATIONS, HTTP_ACCEPT=accept)
    if status == 200:
        assert response.status_code == 200
    else:
        assert_problem(response, 406, "not_acceptable")


def test_the_sites_defaults_do_not_matter(as_alice: APIClient, settings: Any) -> None:
    settings.REST_FRAMEWORK = {
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.AllowAny"],
        "DEFAULT_PAGINATION_CLASS": None,
        "EXCEPTION_HANDLER": "no.such.handler",
        "DEFAULT_VERSIONING_CLASS": "rest_framework.versioning.AcceptHeaderVersioning",
    }
    assert_problem(as_alice.get(f"{VERIFICATIONS}nobody/"), 404)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (SealBroken("seal_broken"), 409, "seal_broken"),
        (SealBroken("photo_lost"), 409, "seal_broken"),
        (Http404("a secret"), 404, "not_found"),
        (UnreadablePostError("gone"), 400, "parse_error"),
        (exceptions.Throttled(7), 429, "throttled"),
        (
            exceptions.AuthenticationFailed({"detail": "x", "messages": ["y"]}),
            401,
            "authentication_failed",
        ),
        (exceptions.ValidationError("no"), 400, "invalid_input"),
        (exceptions.ValidationError({"a": ["no", "never"]}), 400, "invalid_input"),
        (InputError("required", "a/b~c\ud800"), 400, "invalid_input"),
    ],
)
def test_errors_become_problems(error: Exception, status: int, code: str) -> None:
    response = answer_with_problem(error, {})
    assert response is not None
    assert response.status_code == status
    assert response.data["code"] == code
    assert response.content_type == "application/problem+json"
    assert "secret" not in str(response.data)
    if status == 429:
        assert response["Retry-After"] == "7"


def test_our_own_faults_are_not_hidden() -> None:
    assert answer_with_problem(RuntimeError("a fault"), {}) is None
