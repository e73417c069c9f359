"""What a test that commits leaves behind for the next one: nothing."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission, User
from django.contrib.contenttypes.models import ContentType
from django.test import TransactionTestCase

from django_faceverify import figures, intake
from django_faceverify import verification as engine
from tests import emptying
from tests.conftest import submitted


@pytest.mark.django_db(transaction=True)
def test_nothing_is_left_but_what_migrate_fills_in(reviewer: User) -> None:
    case = submitted(reviewer)
    engine.run(case.pk)
    intake.redact(case, user=reviewer)
    figures.advance(settled=0)
    stays = Permission.objects.count(), ContentType.objects.count()
    emptying.empty_databases(TransactionTestCase())
    assert (Permission.objects.count(), ContentType.objects.count()) == stays
    everything = apps.get_models(include_auto_created=True)
    left = {model._meta.db_table for model in everything if model._default_manager.exists()}
    assert left == emptying.FILLED_BY_MIGRATE
