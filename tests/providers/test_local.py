"""The provider on this machine: real comparisons, every finding, and a worker that asks it."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import pytest

from django_faceverify import intake, sweeper, verification
from django_faceverify.exceptions import NotSent
from django_faceverify.faces import engine
from django_faceverify.providers import providers
from django_faceverify.providers.base import Comparison
from django_faceverify.providers.local import LocalProvider
from django_faceverify.sandbox import scenario_number
from django_faceverify.testing.contract import (
    CANARIES,
    NAME,
    NUMBER,
    Witness,
    comparison_request,
    everything_in,
)
from example_project.demo.pictures import PORTRAITS, portrait, selfie
from tests.conftest import CONSENT
from tests.faces import portraits
from tests.faces.portraits import COLLINS, HOPPER

#: what can be wrong with the person's photo
FINDINGS: dict[str, Callable[[], bytes]] = {
    "no_face": portraits.nobody,
    "multiple_faces": portraits.two_people,
    "face_too_small": portraits.far_away,
    "image_blurry": lambda: portraits.blurred(0.09),
    "image_undecodable": lambda: b"\xff\xd8\xff damaged",
}


def known(name: str, number: str) -> bytes | None:
    """A site's own record: one person."""
    return portrait(HOPPER) if (name, number) == (NAME, NUMBER) else None


def failing(name: str, number: str) -> bytes | None:
    raise LookupError(f"nobody is called {name} {number}")


def ask(
    image: bytes | None, witness: Witness | None = None, portraits: Any = known, **request: Any
) -> Comparison:
    provider = LocalProvider("here", portraits=portraits)
    return provider.compare(
        comparison_request(image=image, **request), about_to_send=witness or Witness()
    )


def numbers(provider: LocalProvider) -> list[str]:
    return [str(message.id).removeprefix("faceverify.") for message in provider.check()]


@pytest.mark.usefixtures("local_engine")
class TestComparison:
    def test_the_same_person(self) -> None:
        answer = ask(selfie(HOPPER))
        assert answer.similarity is not None
        assert answer.similarity > 95
        assert (answer.reason_code, answer.is_billed) == ("", "no")

    def test_another_person(self) -> None:
        answer = ask(selfie(COLLINS))
        assert answer.similarity is not None
        assert answer.similarity < 30

    @pytest.mark.parametrize("finding", FINDINGS)
    def test_what_is_wrong_with_the_photo(self, finding: str) -> None:
        answer = ask(FINDINGS[finding]())
        assert (answer.similarity, answer.reason_code) == (None, finding)
        assert answer.is_billed == "no"

    def test_nobody_on_record(self) -> None:
        assert ask(selfie(HOPPER), idcard_name="李四").reason_code == "id_photo_missing"

    @pytest.mark.parametrize("finding", FINDINGS)
    def test_what_is_wrong_with_the_portrait(self, finding: str) -> None:
        answer = ask(selfie(HOPPER), portraits=lambda *_: FINDINGS[finding]())
        assert answer.reason_code == "id_photo_poor"

    @pytest.mark.parametrize("image", [None, b"", b"GIF89a...", b"BM", b"\xff\xd8", b"%PDF-1.7"])
    def test_a_photo_that_is_none(self, image: bytes | None) -> None:
        assert ask(image).reason_code == "image_undecodable"

    def test_the_caller_is_told_once_when_the_answer_is_there(self) -> None:
        witness = Witness()
        ask(selfie(HOPPER), witness)
        assert witness.count == 1

    def test_an_objection_passes_unchanged(self) -> None:
        objection = ValueError("no")
        with pytest.raises(ValueError, match="no") as caught:
            ask(selfie(HOPPER), Witness(objection))
        assert caught.value is objection
        assert objection.__context__ is None

    def test_a_record_that_fails_is_not_sent_and_tells_nothing(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        witness = Witness()
        with pytest.raises(NotSent) as caught:
            ask(selfie(HOPPER), witness, portraits=failing)
        assert (caught.value.code, witness.count) == ("provider_unavailable", 0)
        shown = " ".join(everything_in(caught.value)) + repr(pickle.dumps(caught.value))
        assert not [canary for canary in CANARIES if canary in shown + caplog.text]
        assert "portrait_failed provider=here error=LookupError" in caplog.text

    def test_it_waits_for_its_turn_no_longer_than_its_timeout(self) -> None:
        provider = LocalProvider("here", portraits=known, timeout=0.05)
        with engine._engine.turn(5), pytest.raises(NotSent) as caught:
            provider.compare(comparison_request(image=selfie(HOPPER)), about_to_send=Witness())
        assert caught.value.code == "provider_unavailable"

    def test_an_engine_that_does_not_work_is_a_matter_of_configuration(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fail(*_: Any, **__: Any) -> None:
            raise engine.EngineUnavailable("the weights are not those that were measured")

        monkeypatch.setattr(engine, "look", fail)
        with pytest.raises(NotSent) as caught:
            ask(selfie(HOPPER))
        assert caught.value.code == "provider_config"
        assert "engine_unavailable provider=here" in caplog.text

    def test_a_register_in_a_folder(self) -> None:
        provider = LocalProvider("here", register=PORTRAITS)
        request = comparison_request(
            idcard_name="张三", idcard_number=scenario_number("901"), image=selfie(HOPPER)
        )
        answer = provider.compare(request, about_to_send=Witness())
        assert answer.similarity is not None
        assert answer.similarity > 95

    @pytest.mark.parametrize(
        ("number", "options"),
        [
            ("E195", {}),
            ("E195", {"portraits": known, "register": PORTRAITS}),
            ("E196", {"portraits": "tests.providers.test_local.nothing"}),
            ("E196", {"portraits": 7}),
            ("E196", {"register": "/does/not/exist"}),
            ("E197", {"portraits": known, "timeout": 0}),
            ("E197", {"portraits": known, "timeout": "10"}),
        ],
    )
    def test_wrong_options_are_told_and_never_used(
        self, settings: Any, number: str, options: dict[str, Any]
    ) -> None:
        settings.DEBUG = True
        provider = LocalProvider("here", **options)
        assert numbers(provider) == [number]
        with pytest.raises(NotSent) as caught:
            provider.compare(comparison_request(), about_to_send=Witness())
        assert caught.value.code == "provider_config"

    def test_good_options_pass_the_checks(self, settings: Any) -> None:
        path = "tests.providers.test_local.known"
        for options in ({"portraits": known}, {"portraits": path}, {"register": PORTRAITS}):
            settings.DEBUG = True
            assert numbers(LocalProvider("here", **options)) == []
            settings.DEBUG = False
            assert numbers(LocalProvider("here", **options)) == ["W198"]


def test_without_the_extra_nothing_is_compared(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DEBUG = True
    monkeypatch.setattr(engine, "missing_packages", lambda: ["cv2"])
    assert numbers(LocalProvider("here", portraits=known)) == ["E194"]
    with pytest.raises(NotSent) as caught:
        ask(selfie(HOPPER))
    assert caught.value.code == "provider_config"


def test_it_costs_nothing_and_shows_nothing() -> None:
    provider = LocalProvider("here", portraits=known)
    assert not provider.costs_money
    assert not provider.takes_url
    assert repr(provider) == "<LocalProvider 'here'>"


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("local_engine")
class TestWork:
    """The way of a case through intake and a worker, with this provider behind it."""

    @pytest.fixture(autouse=True)
    def _site(self, settings: Any) -> Any:
        entry = {
            "BACKEND": "django_faceverify.providers.local.LocalProvider",
            "OPTIONS": {"register": str(PORTRAITS)},
        }
        settings.FACEVERIFY = {**settings.FACEVERIFY, "PROVIDERS": {"default": entry}}
        yield
        providers.forget()

    def case(self, image: bytes, number: str = "901") -> Any:
        return intake.create(
            user=None,
            idcard_name="张三",
            idcard_number=scenario_number(number),
            consent=CONSENT,
            submission=intake.Submission(image=image),
        )

    @pytest.mark.parametrize(
        ("image", "number", "status", "reason"),
        [
            (selfie(HOPPER), "901", "verified", ""),
            (selfie(COLLINS), "901", "requires_input", "face_mismatch"),
            (portraits.nobody(), "901", "requires_input", "no_face"),
            (selfie(HOPPER), "902", "in_review", "id_photo_missing"),
        ],
    )
    def test_a_worker_decides_by_the_faces(
        self, image: bytes, number: str, status: str, reason: str
    ) -> None:
        case = self.case(image, number)
        assert verification.run(case.pk)
        case.refresh_from_db()
        assert (case.status, case.reason_code) == (status, reason)
        attempt = case.attempts.get()
        assert (attempt.state, attempt.is_billed) == ("answered", "no")

    def test_the_sweeper_works_off_what_waits(self) -> None:
        cases = [self.case(selfie(HOPPER)), self.case(selfie(COLLINS))]
        sweeper.drain()
        for case in cases:
            case.refresh_from_db()
        assert [case.status for case in cases] == ["verified", "requires_input"]
