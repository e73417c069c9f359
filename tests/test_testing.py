"""What the package gives to the tests of sites."""

from __future__ import annotations

import re
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from django_faceverify import intake, verification
from django_faceverify.exceptions import NotSent, OutcomeUnknown
from django_faceverify.providers.base import Comparison
from django_faceverify.testing import MemoryProvider
from django_faceverify.testing.factories import make_verification, photo
from django_faceverify.testing.plugin import memory_provider
from tests.conftest import CONSENT

__all__ = ["memory_provider"]  # a fixture, also where the package is not installed

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).parent.parent


@pytest.fixture
def _site(settings: Any) -> None:
    """A site whose tests use the provider in memory."""
    entry = {"BACKEND": "django_faceverify.testing.MemoryProvider"}
    settings.FACEVERIFY = {**settings.FACEVERIFY, "PROVIDERS": {"default": entry}}


@pytest.mark.usefixtures("_site")
class TestMemoryProvider:
    def test_it_keeps_what_it_was_asked(self, memory_provider: type[MemoryProvider]) -> None:
        made = make_verification("processing")
        assert memory_provider.outbox == []
        verification.run(made.pk)
        (request,) = memory_provider.outbox
        assert request.idcard_name == "张三"
        assert request.idcard_name not in repr(request)
        assert request.image is not None
        made.refresh_from_db()
        assert made.status == "verified"

    def test_the_last_answer_holds_for_ever(self, memory_provider: type[MemoryProvider]) -> None:
        memory_provider.answers_with(Comparison(similarity=1), Comparison(similarity=2))
        found = []
        for _ in range(3):
            made = intake.create(
                user=None,
                idcard_name="张三",
                idcard_number="000000199001010011",
                consent=CONSENT,
                submission=intake.Submission(image=photo()),
            )
            verification.run(made.pk)
            made.refresh_from_db()
            found.append(made.similarity)
        assert found == [1, 2, 2]

    @pytest.mark.parametrize(
        ("error", "asked"),
        [(NotSent("provider_unavailable"), 0), (OutcomeUnknown("outcome_unknown"), 1)],
    )
    def test_an_exception_is_raised_before_or_after_sending(
        self, memory_provider: type[MemoryProvider], error: Exception, asked: int
    ) -> None:
        memory_provider.answers_with(error)
        made = make_verification("processing")
        verification.run(made.pk)
        assert len(memory_provider.outbox) == asked
        assert made.attempts.get().state == ("unknown" if asked else "not_sent")

    def test_answers_with_nothing_is_a_mistake(self) -> None:
        with pytest.raises(ValueError, match="at least one"):
            MemoryProvider.answers_with()


@pytest.mark.usefixtures("_site")
class TestFactories:
    @pytest.mark.parametrize(
        "status",
        ["requires_input", "processing", "in_review", "verified", "rejected", "canceled"],
    )
    def test_every_status_that_people_see(self, status: str, alice: User) -> None:
        made = make_verification(status, user=alice, reference="order 7")
        assert (made.status, made.user, made.reference) == (status, alice, "order 7")

    def test_other_words_are_a_mistake(self) -> None:
        with pytest.raises(ValueError, match="no verification can be made"):
            make_verification("approved")

    def test_photos_differ_by_their_seed(self) -> None:
        assert photo(seed=1) == photo(seed=1) != photo(seed=2)


def test_the_plugin_is_announced() -> None:
    announced = (ROOT / "setup.cfg").read_text("utf-8")
    assert re.search(r"pytest11 =\n    faceverify = django_faceverify\.testing\.plugin", announced)
    installed = {point.name: point.value for point in entry_points(group="pytest11")}
    assert installed.get("faceverify") in (None, "django_faceverify.testing.plugin")
