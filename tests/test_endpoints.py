"""Who gets which answer where: every address of the URLconf, every method, every role.

The two tables are the expectation. An address that stands in the URLconf and not here fails,
and so does a row whose address is gone. To add an endpoint, add a row for GET and for POST
(a status for each role), the state of the case that its POST needs, and what it sends.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver
from rest_framework.test import APIClient

from django_faceverify import access, intake, reopening
from django_faceverify import urls as app_urls
from django_faceverify import verification as engine
from django_faceverify.models import Judgement, Review, Verification
from django_faceverify.models.clock import db_now
from tests.conftest import CONSENT, IDCARD_NAME, IDCARD_NUMBER, submitted
from tests.scripted import ScriptedProvider, similarity

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

#: what each role may, besides to sign in; all but the first three are staff of the site
ROLES: dict[str, tuple[str, ...]] = {
    "anonymous": (),
    "subject": (),  # whose case it is
    "other": (),
    "viewer": (access.VIEW,),
    "reviewer": (access.VIEW, access.REVIEW),
    "photos": (access.VIEW, access.VIEW_PHOTO),
    "revealer": (access.VIEW, access.REVEAL_IDENTITY),
    "overrider": (access.VIEW, access.OVERRIDE),
    "exporter": (access.VIEW, access.EXPORT),
    "redactor": (access.VIEW, access.REDACT),
    "insider": access.PERMISSIONS,  # whose case it is, and who may everything
    "root": (),  # the superuser
}
OUTSIDERS = ("anonymous", "subject", "other")
METHODS = ("GET", "POST")
OTHER_METHODS = ("PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE")

# 404 for whom the case does not exist, 403 for whom it does, 405 where the method is another.
API = """
address                             method case     anonymous subject other viewer reviewer photos revealer overrider exporter redactor insider root
anything-else/                      GET    -        404       404     404   404    404      404    404      404       404      404      404     404
anything-else/                      POST   -        404       404     404   404    404      404    404      404       404      404      404     404
attempts/                           GET    -        403       403     403   200    200      200    200      200       200      200      200     200
attempts/                           POST   -        403       405     405   405    405      405    405      405       405      405      405     405
consent/                            GET    -        403       200     200   200    200      200    200      200       200      200      200     200
consent/                            POST   -        403       405     405   405    405      405    405      405       405      405      405     405
schema/                             GET    -        200       200     200   200    200      200    200      200       200      200      200     200
schema/                             POST   -        405       405     405   405    405      405    405      405       405      405      405     405
verifications/                      GET    -        403       200     200   200    200      200    200      200       200      200      200     200
verifications/                      POST   -        403       201     201   201    201      201    201      201       201      201      201     201
verifications/search/               GET    -        403       405     405   405    405      405    405      405       405      405      405     405
verifications/search/               POST   -        403       403     403   200    200      200    200      200       200      200      200     200
verifications/{id}/                 GET    -        403       200     404   200    200      200    200      200       200      200      200     200
verifications/{id}/                 POST   -        403       405     405   405    405      405    405      405       405      405      405     405
verifications/{id}/attempts/        GET    -        403       403     404   200    200      200    200      200       200      200      200     200
verifications/{id}/attempts/        POST   -        403       405     405   405    405      405    405      405       405      405      405     405
verifications/{id}/cancel/          GET    -        403       405     405   405    405      405    405      405       405      405      405     405
verifications/{id}/cancel/          POST   -        403       200     404   403    200      403    403      403       403      403      200     200
verifications/{id}/consent/         GET    -        403       405     405   405    405      405    405      405       405      405      405     405
verifications/{id}/consent/         POST   waiting  403       200     404   403    403      403    403      403       403      403      200     403
verifications/{id}/consent/withdraw/ GET    -        403       405     405   405    405      405    405      405       405      405      405     405
verifications/{id}/consent/withdraw/ POST   -        403       200     404   403    403      403    403      403       403      403      200     403
verifications/{id}/events/          GET    -        403       403     404   200    200      200    200      200       200      200      200     200
verifications/{id}/events/          POST   -        403       405     405   405    405      405    405      405       405      405      405     405
verifications/{id}/export/          GET    -        403       405     405   405    405      405    405      405       405      405      405     405
verifications/{id}/export/          POST   -        403       403     404   403    403      403    403      403       200      403      403     200
verifications/{id}/photos/          GET    -        403       405     405   405    405      405    405      405       405      405      405     405
verifications/{id}/photos/          POST   waiting  403       202     404   403    403      403    403      403       403      403      202     403
verifications/{id}/photos/{photo_id}/ GET    -        403       403     404   403    403      200    403      403       403      403      200     200
verifications/{id}/photos/{photo_id}/ POST   -        403       405     405   405    405      405    405      405       405      405      405     405
verifications/{id}/redact/          GET    -        403       405     405   405    405      405    405      405       405      405      405     405
verifications/{id}/redact/          POST   -        403       200     404   403    403      403    403      403       403      200      200     200
verifications/{id}/reopen/          GET    -        403       405     405   405    405      405    405      405       405      405      405     405
verifications/{id}/reopen/          POST   verified 403       403     404   403    403      403    403      202       403      403      403     202
verifications/{id}/reopen/confirm/  GET    -        403       405     405   405    405      405    405      405       405      405      405     405
verifications/{id}/reopen/confirm/  POST   proposed 403       403     404   403    403      403    403      200       403      403      403     200
verifications/{id}/reveal/          GET    -        403       405     405   405    405      405    405      405       405      405      405     405
verifications/{id}/reveal/          POST   -        403       403     404   403    403      403    200      403       403      403      403     200
verifications/{id}/review/          GET    -        403       405     405   405    405      405    405      405       405      405      405     405
verifications/{id}/review/          POST   review   403       403     404   403    200      403    403      403       403      403      403     200
verifications/{id}/review/undo/     GET    -        403       405     405   405    405      405    405      405       405      405      405     405
verifications/{id}/review/undo/     POST   judged   403       403     404   403    200      403    403      403       403      403      403     409
verifications/{id}/stream/          GET    -        403       406     404   406    406      406    406      406       406      406      406     406
verifications/{id}/stream/          POST   -        403       405     405   405    405      405    405      405       405      405      405     405
verifications/{id}/token/           GET    -        403       405     405   405    405      405    405      405       405      405      405     405
verifications/{id}/token/           POST   -        403       201     404   403    403      403    403      403       403      403      201     201
verifications/{id}/token/revoke/    GET    -        403       405     405   405    405      405    405      405       405      405      405     405
verifications/{id}/token/revoke/    POST   -        403       200     404   403    403      403    403      403       403      403      200     200
webhook-deliveries/                 GET    -        403       403     403   403    403      403    403      403       403      403      403     200
webhook-deliveries/                 POST   -        403       405     405   405    405      405    405      405       405      405      405     405
webhook-deliveries/{delivery_id}/resend/ GET    -        403       405     405   405    405      405    405      405       405      405      405     405
webhook-deliveries/{delivery_id}/resend/ POST   -        403       403     403   403    403      403    403      403       403      403      403     404
webhook-endpoints/                  GET    -        403       403     403   403    403      403    403      403       403      403      403     200
webhook-endpoints/                  POST   -        403       405     405   405    405      405    405      405       405      405      405     405
"""

# 302 leads outsiders to the login page, and staff away after a form was taken.
ADMIN = """
address                             method case     anonymous subject other viewer reviewer photos revealer overrider exporter redactor insider root
dailyfigure/                        GET    -        302       302     302   200    200      200    200      200       200      200      200     200
dailyfigure/                        POST   -        302       302     302   405    405      405    405      405       405      405      405     405
dailyfigure/csv/{name}/             GET    -        302       302     302   200    200      200    200      200       200      200      200     200
dailyfigure/csv/{name}/             POST   -        302       302     302   405    405      405    405      405       405      405      405     405
dailyfigure/policy/                 GET    -        302       302     302   200    200      200    200      200       200      200      200     200
dailyfigure/policy/                 POST   -        302       302     302   405    405      405    405      405       405      405      405     405
dailyfigure/policy/csv/{trial_table}/   GET    -        302       302     302   200    200      200    200      200       200      200      200     200
dailyfigure/policy/csv/{trial_table}/   POST   -        302       302     302   405    405      405    405      405       405      405      405     405
identitysearch/                     GET    -        302       302     302   403    403      403    403      403       403      403      403     200
identitysearch/                     POST   -        302       302     302   403    403      403    403      403       403      403      403     200
identitysearch/add/                 GET    -        302       302     302   403    403      403    403      403       403      403      403     403
identitysearch/add/                 POST   -        302       302     302   403    403      403    403      403       403      403      403     403
identitysearch/{id}/                GET    -        302       302     302   302    302      302    302      302       302      302      302     302
identitysearch/{id}/                POST   -        302       302     302   302    302      302    302      302       302      302      302     302
identitysearch/{id}/change/         GET    -        302       302     302   403    403      403    403      403       403      403      403     302
identitysearch/{id}/change/         POST   -        302       302     302   403    403      403    403      403       403      403      403     403
identitysearch/{id}/delete/         GET    -        302       302     302   403    403      403    403      403       403      403      403     403
identitysearch/{id}/delete/         POST   -        302       302     302   403    403      403    403      403       403      403      403     403
identitysearch/{id}/history/        GET    -        302       302     302   302    302      302    302      302       302      302      302     302
identitysearch/{id}/history/        POST   -        302       302     302   302    302      302    302      302       302      302      302     302
retentionday/                       GET    -        302       302     302   403    403      403    403      403       403      403      403     200
retentionday/                       POST   -        302       302     302   403    403      403    403      403       403      403      403     200
retentionday/add/                   GET    -        302       302     302   403    403      403    403      403       403      403      403     403
retentionday/add/                   POST   -        302       302     302   403    403      403    403      403       403      403      403     403
retentionday/{id}/                  GET    -        302       302     302   302    302      302    302      302       302      302      302     302
retentionday/{id}/                  POST   -        302       302     302   302    302      302    302      302       302      302      302     302
retentionday/{id}/change/           GET    -        302       302     302   403    403      403    403      403       403      403      403     302
retentionday/{id}/change/           POST   -        302       302     302   403    403      403    403      403       403      403      403     403
retentionday/{id}/delete/           GET    -        302       302     302   403    403      403    403      403       403      403      403     403
retentionday/{id}/delete/           POST   -        302       302     302   403    403      403    403      403       403      403      403     403
retentionday/{id}/history/          GET    -        302       302     302   302    302      302    302      302       302      302      302     302
retentionday/{id}/history/          POST   -        302       302     302   302    302      302    302      302       302      302      302     302
verification/                       GET    -        302       302     302   200    200      200    200      200       200      200      200     200
verification/                       POST   -        302       302     302   200    200      200    200      200       200      200      200     200
verification/add/                   GET    -        302       302     302   403    403      403    403      403       403      403      403     403
verification/add/                   POST   -        302       302     302   403    403      403    403      403       403      403      403     403
verification/find/                  GET    -        302       302     302   200    200      200    200      200       200      200      200     200
verification/find/                  POST   -        302       302     302   200    200      200    200      200       200      200      200     200
verification/queue/                 GET    -        302       302     302   403    200      403    403      403       403      403      200     200
verification/queue/                 POST   -        302       302     302   405    405      405    405      405       405      405      405     405
verification/queue/next/            GET    -        302       302     302   405    405      405    405      405       405      405      405     405
verification/queue/next/            POST   -        302       302     302   403    302      403    403      403       403      403      302     302
verification/queue/decide/          GET    -        302       302     302   405    405      405    405      405       405      405      405     405
verification/queue/decide/          POST   -        302       302     302   403    302      403    403      403       403      403      302     302
verification/queue/ahead/           GET    -        302       302     302   405    405      405    405      405       405      405      405     405
verification/queue/ahead/           POST   -        302       302     302   403    200      403    403      403       403      403      200     200
verification/queue/leave/           GET    -        302       302     302   405    405      405    405      405       405      405      405     405
verification/queue/leave/           POST   -        302       302     302   403    200      403    403      403       403      403      200     200
verification/{id}/                  GET    -        302       302     302   302    302      302    302      302       302      302      302     302
verification/{id}/                  POST   -        302       302     302   302    302      302    302      302       302      302      302     302
verification/{id}/cancel/           GET    -        302       302     302   405    405      405    405      405       405      405      405     405
verification/{id}/cancel/           POST   -        302       302     302   403    302      403    403      403       403      403      302     302
verification/{id}/change/           GET    -        302       302     302   200    200      200    200      200       200      200      200     200
verification/{id}/change/           POST   -        302       302     302   405    405      405    405      405       405      405      405     405
verification/{id}/delete/           GET    -        302       302     302   403    403      403    403      403       403      403      403     403
verification/{id}/delete/           POST   -        302       302     302   403    403      403    403      403       403      403      403     403
verification/{id}/history/          GET    -        302       302     302   200    200      200    200      200       200      200      200     200
verification/{id}/history/          POST   -        302       302     302   200    200      200    200      200       200      200      200     200
verification/{id}/photos/{photo_id}/ GET    -        302       302     302   403    403      200    403      403       403      403      200     200
verification/{id}/photos/{photo_id}/ POST   -        302       302     302   405    405      405    405      405       405      405      405     405
verification/{id}/photos/{photo_id}/ahead/ GET kept 302       302     302   403    403      403    403      403       403      403      404     200
verification/{id}/photos/{photo_id}/ahead/ POST -   302       302     302   405    405      405    405      405       405      405      405     405
verification/{id}/claim/            GET    -        302       302     302   405    405      405    405      405       405      405      405     405
verification/{id}/claim/            POST   -        302       302     302   403    302      403    403      403       403      403      302     302
verification/{id}/release/          GET    -        302       302     302   405    405      405    405      405       405      405      405     405
verification/{id}/release/          POST   -        302       302     302   403    302      403    403      403       403      403      302     302
verification/{id}/undo/             GET    -        302       302     302   405    405      405    405      405       405      405      405     405
verification/{id}/undo/             POST   -        302       302     302   403    302      403    403      403       403      403      302     302
verification/{id}/redact/           GET    -        302       302     302   405    405      405    405      405       405      405      405     405
verification/{id}/redact/           POST   -        302       302     302   403    403      403    403      403       403      302      302     302
verification/{id}/reopen/           GET    -        302       302     302   405    405      405    405      405       405      405      405     405
verification/{id}/reopen/           POST   verified 302       302     302   403    403      403    403      302       403      403      403     302
verification/{id}/reopen/confirm/   GET    -        302       302     302   405    405      405    405      405       405      405      405     405
verification/{id}/reopen/confirm/   POST   proposed 302       302     302   403    403      403    403      302       403      403      403     302
verification/{id}/reveal/           GET    -        302       302     302   403    403      403    200      403       403      403      403     200
verification/{id}/reveal/           POST   -        302       302     302   403    403      403    200      403       403      403      403     200
verification/{id}/review/           GET    -        302       302     302   405    405      405    405      405       405      405      405     405
verification/{id}/review/           POST   review   302       302     302   403    302      403    403      403       403      403      403     302
verificationattempt/                GET    -        302       302     302   200    200      200    200      200       200      200      200     200
verificationattempt/                POST   -        302       302     302   200    200      200    200      200       200      200      200     200
verificationattempt/add/            GET    -        302       302     302   403    403      403    403      403       403      403      403     403
verificationattempt/add/            POST   -        302       302     302   403    403      403    403      403       403      403      403     403
verificationattempt/agreement/      GET    -        302       302     302   200    200      200    200      200       200      200      200     200
verificationattempt/costs/          GET    -        302       302     302   200    200      200    200      200       200      200      200     200
verificationattempt/agreement/      POST   -        302       302     302   200    200      200    200      200       200      200      200     200
verificationattempt/costs/          POST   -        302       302     302   200    200      200    200      200       200      200      200     200
verificationattempt/{id}/           GET    -        302       302     302   302    302      302    302      302       302      302      302     302
verificationattempt/{id}/           POST   -        302       302     302   302    302      302    302      302       302      302      302     302
verificationattempt/{id}/change/    GET    -        302       302     302   302    302      302    302      302       302      302      302     302
verificationattempt/{id}/change/    POST   -        302       302     302   302    302      302    302      302       302      302      302     302
verificationattempt/{id}/delete/    GET    -        302       302     302   403    403      403    403      403       403      403      403     403
verificationattempt/{id}/delete/    POST   -        302       302     302   403    403      403    403      403       403      403      403     403
verificationattempt/{id}/history/   GET    -        302       302     302   200    200      200    200      200       200      200      200     200
verificationattempt/{id}/history/   POST   -        302       302     302   200    200      200    200      200       200      200      200     200
webhookdelivery/                    GET    -        302       302     302   403    403      403    403      403       403      403      403     200
webhookdelivery/                    POST   -        302       302     302   403    403      403    403      403       403      403      403     200
webhookdelivery/add/                GET    -        302       302     302   403    403      403    403      403       403      403      403     403
webhookdelivery/add/                POST   -        302       302     302   403    403      403    403      403       403      403      403     403
webhookdelivery/{id}/               GET    -        302       302     302   302    302      302    302      302       302      302      302     302
webhookdelivery/{id}/               POST   -        302       302     302   302    302      302    302      302       302      302      302     302
webhookdelivery/{id}/change/        GET    -        302       302     302   403    403      403    403      403       403      403      403     302
webhookdelivery/{id}/change/        POST   -        302       302     302   403    403      403    403      403       403      403      403     403
webhookdelivery/{id}/delete/        GET    -        302       302     302   403    403      403    403      403       403      403      403     403
webhookdelivery/{id}/delete/        POST   -        302       302     302   403    403      403    403      403       403      403      403     403
webhookdelivery/{id}/history/       GET    -        302       302     302   302    302      302    302      302       302      302      302     302
webhookdelivery/{id}/history/       POST   -        302       302     302   302    302      302    302      302       302      302      302     302
webhookendpoint/                    GET    -        302       302     302   403    403      403    403      403       403      403      403     200
webhookendpoint/                    POST   -        302       302     302   403    403      403    403      403       403      403      403     200
webhookendpoint/add/                GET    -        302       302     302   403    403      403    403      403       403      403      403     200
webhookendpoint/add/                POST   -        302       302     302   403    403      403    403      403       403      403      403     200
webhookendpoint/{id}/               GET    -        302       302     302   302    302      302    302      302       302      302      302     302
webhookendpoint/{id}/               POST   -        302       302     302   302    302      302    302      302       302      302      302     302
webhookendpoint/{id}/change/        GET    -        302       302     302   403    403      403    403      403       403      403      403     302
webhookendpoint/{id}/change/        POST   -        302       302     302   403    403      403    403      403       403      403      403     302
webhookendpoint/{id}/delete/        GET    -        302       302     302   403    403      403    403      403       403      403      403     302
webhookendpoint/{id}/delete/        POST   -        302       302     302   403    403      403    403      403       403      403      403     302
webhookendpoint/{id}/history/       GET    -        302       302     302   302    302      302    302      302       302      302      302     302
webhookendpoint/{id}/history/       POST   -        302       302     302   302    302      302    302      302       302      302      302     302
"""

#: what a POST sends, so that whoever may do it succeeds
BODIES: dict[str, dict[str, Any]] = {
    "verifications/": {"idcard_name": IDCARD_NAME, "idcard_number": IDCARD_NUMBER},
    "verifications/{id}/consent/": CONSENT,
    "verifications/search/": {"idcard_number": IDCARD_NUMBER},
    "verifications/{id}/photos/": {
        "url": "https://photos.example.com/me.jpg",
        "consent": CONSENT,
    },
    "verifications/{id}/review/": {"decision": "verify", "reason_code": "same_person"},
    "verifications/{id}/reveal/": {"reason_code": "complaint", "note": "complaint 4711"},
    "verifications/{id}/export/": {"note": "letter 4711"},
    "verifications/{id}/reopen/": {"reason_code": "mistake"},
    "verification/find/": {"idcard_number": IDCARD_NUMBER},
    "verification/{id}/review/": {"decision": "verify", "reason_code": "same_person"},
    "verification/{id}/reveal/": {"reason_code": "complaint", "note": "complaint 4711"},
    "verification/{id}/reopen/": {"reason_code": "mistake"},
}


# --- reading the tables and the URLconf ---------------------------------------------------


@dataclass(frozen=True)
class Row:
    """One line of a table."""

    address: str
    method: str
    case: str
    expected: dict[str, int]


def rows(table: str) -> list[Row]:
    header, *lines = (line.split() for line in table.strip().splitlines())
    assert header == ["address", "method", "case", *ROLES]
    return [
        Row(address, method, case, dict(zip(ROLES, map(int, statuses), strict=True)))
        for address, method, case, *statuses in lines
    ]


def addresses(patterns: Sequence[URLPattern | URLResolver], prefix: str = "") -> Iterator[str]:
    """Every address of a URLconf, its parameters in braces."""
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, route)
        else:
            yield re.sub(r"<\w+:(?:verification_|object_)?(\w+)>", r"{\1}", route)


def api_addresses() -> set[str]:
    return {
        address.removeprefix("api/v1/") or "anything-else/"
        for address in addresses(app_urls.urlpatterns)
    }


def admin_addresses() -> set[str]:
    ours = apps.get_app_config("django_faceverify").get_models()
    return {
        f"{model._meta.model_name}/{address}"
        for model in ours
        if admin.site.is_registered(model)
        for address in addresses(admin.site.get_model_admin(model).get_urls())
    }


# --- the people and their cases -----------------------------------------------------------


def _person(role: str) -> User:
    user = User.objects.create_user(role, is_staff=role not in OUTSIDERS)
    user.is_superuser = role == "root"
    user.save()
    names = {permission.partition(".")[2] for permission in ROLES[role]}
    if "view_verification" in names:
        names.add("view_verificationattempt")
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    return user


def _review(user: User) -> Verification:
    return _decided(user, 75)


def _waiting(user: User) -> Verification:
    return intake.create(user=user, idcard_name=IDCARD_NAME, idcard_number=IDCARD_NUMBER)


def _verified(user: User) -> Verification:
    return _decided(user, 95)


def _proposed(user: User) -> Verification:
    case = _decided(user, 95)
    second, _ = User.objects.get_or_create(username="second", is_superuser=True)
    reopening.propose(case, user=second, reason_code="mistake")
    return case


def _decided(user: User, value: float) -> Verification:
    case = submitted(user)
    ScriptedProvider.script(similarity(value))
    engine.run(case.pk)
    case.refresh_from_db()
    return case


def _judged(user: User) -> Verification:
    """By the reviewer, who waits for a second person; nobody else can take that back."""
    case = _decided(user, 75)
    person = User.objects.get(username="reviewer")
    Judgement.objects.create(
        verification=case,
        number=1,
        actor=f"user:{person.pk}",
        reviewer=person,
        decision="verify",
        reason_code="same_person",
        made_at=case.updated_at,
    )
    return case


def _kept(user: User) -> Verification:
    """For the superuser, as the next one."""
    case = _review(user)
    root = User.objects.get(username="root")
    Review.objects.filter(pk=case.pk).update(
        claimed_by=root, claimed_until=db_now(600), is_ahead=True
    )
    return case


CASES: dict[str, Callable[[User], Verification]] = {
    "-": _review,
    "review": _review,
    "waiting": _waiting,
    "verified": _verified,
    "proposed": _proposed,
    "judged": _judged,
    "kept": _kept,
}


class House:
    """The people, and a case of each kind for either owner, made when it is first needed."""

    def __init__(self) -> None:
        self.people = {role: None if role == "anonymous" else _person(role) for role in ROLES}
        self._cases: dict[tuple[str, str], Verification] = {}

    def case(self, kind: str, role: str) -> Verification:
        """A case of that kind; the insider's own for the insider, else the subject's."""
        owner = "insider" if role == "insider" else "subject"
        user = self.people[owner]
        assert user is not None
        if (kind, owner) not in self._cases:
            self._cases[kind, owner] = CASES[kind](user)
        return self._cases[kind, owner]


@pytest.fixture
def house(db: None) -> House:
    return House()


def knock(door: str, row: Row, person: User | None, case: Verification, method: str = "") -> Any:
    """One request, of which nothing stays."""
    address = row.address
    is_of_call = address.startswith("verificationattempt")
    for name, value in {
        "id": case.attempts.get().pk if is_of_call else case.pk,
        "photo_id": getattr(case.photos.first(), "pk", case.pk),
        "content_type_id": 1,
        "name": "volume",
        "trial_table": "outcomes",
    }.items():
        address = address.replace(f"{{{name}}}", str(value))
    body = BODIES.get(row.address, {})
    if door == "api":
        client: Any = APIClient(raise_request_exception=False)
        client.force_authenticate(person)
        address, more = f"/kyc/api/v1/{address}", {"format": "json"}
    else:
        client = Client(raise_request_exception=False)
        if person is not None:
            client.force_login(person)
        address, more = f"/admin/django_faceverify/{address}", {}
        body = {"seen_at": case.updated_at.isoformat(), **body}
    with transaction.atomic():
        before = stock() if method else {}
        if (method or row.method) == "POST":
            response = client.post(address, body, **more)
        else:
            response = client.generic(method or row.method, address)
        if method:
            response.changed = {name for name, kept in stock().items() if kept != before[name]}
        transaction.set_rollback(True)
    return response


def stock() -> dict[str, list[Any]]:
    """All that a request could change."""
    models = apps.get_app_config("django_faceverify").get_models()
    return {
        model.__name__: [
            tuple(getattr(value, "token", value) for value in columns)  # sealed: as it is stored
            for columns in model._base_manager.order_by("pk").values_list()
        ]
        for model in models
    }


# --- the tests ----------------------------------------------------------------------------

DOORS = {"api": API, "admin": ADMIN}
GENERATED = {"api": api_addresses, "admin": admin_addresses}


@pytest.mark.parametrize("door", DOORS)
def test_every_address_has_its_rows(door: str) -> None:
    told = [(row.address, row.method) for row in rows(DOORS[door])]
    assert sorted(told) == sorted(
        (address, method) for address in GENERATED[door]() for method in METHODS
    )


@pytest.mark.parametrize("door", DOORS)
def test_every_role_gets_its_answer(door: str, house: House) -> None:
    deviations = []
    for row in rows(DOORS[door]):
        for role, expected in row.expected.items():
            case = house.case(row.case, role)
            response = knock(door, row, house.people[role], case)
            if response.status_code != expected:
                deviations.append(
                    f"{row.method} {row.address} as {role}: {response.status_code}, not {expected}"
                )
            if tells_identity(response) != (is_reveal(row) and expected == 200):
                deviations.append(f"{row.method} {row.address} as {role}: name or number")
    assert deviations == [], deviations


def is_reveal(row: Row) -> bool:
    return row.method == "POST" and row.address.endswith(("/reveal/", "/export/"))


def tells_identity(response: Any) -> bool:
    text = response.content.decode("utf-8", "replace") + str(response.headers)
    escaped = IDCARD_NAME.encode("unicode_escape").decode()
    return any(form in text for form in (IDCARD_NAME, escaped, IDCARD_NUMBER))


@pytest.mark.parametrize("door", DOORS)
def test_other_methods_change_nothing(door: str, house: House) -> None:
    """They are refused, or (where Django's own views take any method) mean the same as GET."""
    deviations = []
    by_get = {row.address: row for row in rows(DOORS[door]) if row.method == "GET"}
    for row in by_get.values():
        for role in ("anonymous", "root"):
            allowed = {405, row.expected[role]} | ({403} if role == "anonymous" else set())
            for method in OTHER_METHODS:
                case = house.case(row.case, role)
                response = knock(door, row, house.people[role], case, method)
                if response.status_code not in allowed or response.changed - {"Event"}:
                    deviations.append(
                        f"{method} {row.address} as {role}: {response.status_code}, "
                        f"changed {response.changed}"
                    )
    assert deviations == [], deviations


@pytest.mark.parametrize("door", DOORS)
def test_a_get_changes_nothing(door: str, house: House) -> None:
    """Except that looks at photos are recorded."""
    for row in rows(DOORS[door]):
        if row.method == "GET":
            response = knock(door, row, house.people["root"], house.case(row.case, "root"), "GET")
            assert response.changed == ({"Event"} if "{photo_id}" in row.address else set()), row


def test_a_session_needs_a_token_for_every_post(house: House) -> None:
    """No form of another site can act for somebody who is signed in."""
    client = Client(enforce_csrf_checks=True)
    root = house.people["root"]
    assert root is not None
    client.force_login(root)
    case = house.case("review", "root")
    before = stock()
    for door, prefix in (("api", "/kyc/api/v1/"), ("admin", "/admin/django_faceverify/")):
        for row in rows(DOORS[door]):
            if row.method == "POST" and row.expected["root"] not in (404, 405):
                address = prefix + row.address.replace("{id}", str(case.pk))
                response = client.post(address, BODIES.get(row.address, {}))
                assert response.status_code == 403, row
    assert stock() == before


def test_inactive_people_are_nobody(house: House) -> None:
    root = house.people["root"]
    assert root is not None
    client = Client()
    client.force_login(root)
    User.objects.filter(pk=root.pk).update(is_active=False)
    case = house.case("review", "root")
    assert client.get(f"/kyc/api/v1/verifications/{case.pk}/").status_code == 403
    assert client.get(f"/admin/django_faceverify/verification/{case.pk}/change/").status_code == 302
