"""Asking the API: addresses, photos as files, and what an answer must look like."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from django_faceverify import intake, verification
from django_faceverify.models import Consent, Event, Photo, Verification, VerificationAttempt
from django_faceverify.providers.base import Comparison
from tests.conftest import CONSENT, draw_jpeg, submitted
from tests.scripted import ScriptedProvider, similarity

API = "/kyc/api/v1/"
VERIFICATIONS = f"{API}verifications/"

#: the consent as a form sends it
AGREED = {"consent": json.dumps(CONSENT)}


def one(case: Any, rest: str = "") -> str:
    """The address of a verification, or of something below it."""
    return f"{VERIFICATIONS}{getattr(case, 'pk', case)}/{rest}"


def send(client: Any, address: str, body: object, **headers: str) -> Any:
    """POST as JSON in pure ASCII, so that any text can be sent, even half a character."""
    return client.post(address, json.dumps(body), content_type="application/json", **headers)


def as_file(data: bytes, name: str = "photo.jpg", kind: str = "image/jpeg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, kind)


def found(reason_code: str) -> Comparison:
    """An answer that is not a similarity."""
    return Comparison(similarity=None, reason_code=reason_code, provider_code="-1", http_status=200)


def decided(user: User, *answers: Any, **facts: Any) -> Verification:
    """A case whose photo was compared with these answers, one photo for each."""
    case = submitted(user, **facts)
    for number, answer in enumerate(answers or (similarity(95),)):
        if number:
            intake.submit(case, intake.Submission(image=draw_jpeg(seed=number + 1)), user=user)
        ScriptedProvider.script(answer)
        verification.run(case.pk)
        case.refresh_from_db()
    return case


def in_review(user: User, **facts: Any) -> Verification:
    case = decided(user, similarity(75), **facts)
    assert case.status == "in_review"
    return case


def assert_problem(response: Any, status: int, code: str = "", field: str | None = None) -> Any:
    """The answer is a complete problem document; returns it."""
    body = response.json()
    assert response.status_code == status, body
    assert response["Content-Type"] == "application/problem+json"
    assert body["status"] == status
    assert body["type"] == f"urn:django-faceverify:problem:{body['code']}"
    assert body["title"]
    assert body["detail"]
    for error in body.get("errors", ()):
        assert error["detail"]
        assert error["code"]
    if code and status == 400:
        assert code in {body["code"], *(error["code"] for error in body.get("errors", ()))}, body
    elif code:
        assert body["code"] == code
    if field is not None:
        assert [error.get("pointer") for error in body["errors"]] == [f"#/{field}"]
    return body


def stock(folder: Path) -> tuple[int, ...]:
    """How much of everything there is: rows, files, and calls to the provider.

    That somebody lacked a permission is told by the history, and is nothing of theirs.
    """
    deeds = Event.objects.exclude(action="permission_refused")
    counts = [
        *(model.objects.count() for model in (Verification, Photo, Consent, VerificationAttempt)),
        deeds.count(),
    ]
    files = sum(path.is_file() for path in folder.rglob("*"))
    return (*counts, files, len(ScriptedProvider.requests))


def plain_case(user: User | None, **facts: Any) -> Verification:
    """A row without photos, for lists; ``facts`` are columns."""
    now = timezone.now()
    columns = {
        "user": user, "level": "default", "is_live": False, "created_at": now,
        "updated_at": now, "expires_at": now, "idcard_name": "张三",
        "idcard_number": "000000199001010011", "idcard_number_mask": "000***********0011",
    } | facts  # fmt: skip
    return Verification.objects.create(**columns)
