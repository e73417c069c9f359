"""``faceverify_sandbox``: takes this site's credentials and no others."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from django_faceverify.exceptions import Refused
from django_faceverify.faces import engine
from django_faceverify.management.commands.faceverify_sandbox import credentials
from django_faceverify.providers.base import Comparison, ComparisonRequest, Provider
from django_faceverify.providers.faceid import FaceIDProvider
from django_faceverify.providers.qcloud import QcloudProvider
from django_faceverify.sandbox import DEFAULT_APPID, DEFAULT_SECRET_KEY, scenario_number
from example_project.demo.pictures import PORTRAITS, portrait, selfie
from tests.faces import portraits
from tests.photos import jpeg
from tests.services import require

ROOT = Path(__file__).resolve().parent.parent.parent


def with_options(options: dict[str, Any]) -> override_settings:
    return override_settings(FACEVERIFY={"PROVIDERS": {"default": {"OPTIONS": options}}})


def test_credentials_are_those_of_the_provider() -> None:
    with with_options({"appid": 7, "secret_id": "id", "secret_key": lambda: "from a vault"}):
        assert credentials("default") == {
            "appid": "7",
            "secret_id": "id",
            "secret_key": "from a vault",
        }


@override_settings(FACEVERIFY={})
def test_a_site_without_a_provider_gets_the_sandboxs_own() -> None:
    given = credentials("default")
    assert (given["appid"], given["secret_key"]) == (DEFAULT_APPID, DEFAULT_SECRET_KEY)


def test_an_unknown_provider_is_refused() -> None:
    with pytest.raises(CommandError, match="'spare'"):
        call_command("faceverify_sandbox", "--provider", "spare")


@contextmanager
def running(folder: Path, *arguments: str) -> Iterator[str]:
    """The command as a program, for a site whose key is ``key-of-the-site``; its endpoint."""
    program = subprocess.Popen(
        [sys.executable, "manage.py", "faceverify_sandbox", "--port", "0", "--quiet", *arguments],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "example_project.settings",
            "FACEVERIFY_DATA_DIR": str(folder),
            "FACEVERIFY_SECRET_KEY": "key-of-the-site",
        },
        stdout=subprocess.PIPE,
        text=True,
    )
    assert program.stdout is not None
    yield program.stdout.readline().split()[-1]
    program.terminate()
    rest, _ = program.communicate(timeout=20)
    assert program.returncode == 0
    assert "key-of-the-site" not in rest


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[str]:
    with running(tmp_path) as address:
        yield address


def test_it_answers_the_site_and_refuses_others(endpoint: str) -> None:
    request = ComparisonRequest(
        session_id="a" * 32,
        idcard_name="张三",
        idcard_number=scenario_number("001"),
        image=jpeg(),
    )
    account: dict[str, Any] = {
        "appid": "1250000000",
        "secret_id": "docs-example-secret-id",
        "endpoint": endpoint,
    }
    site = QcloudProvider("default", secret_key="key-of-the-site", **account)
    other = QcloudProvider("default", secret_key="another key", **account)
    assert site.compare(request, about_to_send=lambda: None).similarity == 95
    with pytest.raises(Refused):
        other.compare(request, about_to_send=lambda: None)


@pytest.fixture(scope="module")
def comparing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The sandbox with the register of the example project."""
    require("local")
    folder = tmp_path_factory.mktemp("site")
    with running(folder, "--register", str(PORTRAITS)) as address:
        yield address


class TestRegister:
    """Faces are really compared, over real HTTP, in both wire formats."""

    @pytest.fixture(params=["idcardcompare", "ImageRecognitionV2"])
    def provider(self, request: pytest.FixtureRequest, comparing: str) -> Provider:
        account: dict[str, Any] = {
            "secret_id": "docs-example-secret-id",
            "secret_key": "key-of-the-site",
        }
        if request.param == "idcardcompare":
            return QcloudProvider("a", appid="1250000000", endpoint=comparing, **account)
        address = comparing.removesuffix("face/idcardcompare")
        return FaceIDProvider("b", endpoint=address, **account)

    def ask(self, provider: Provider, image: bytes, name: str = "张三") -> Comparison:
        number = scenario_number("901")
        request = ComparisonRequest(
            session_id="a" * 32, idcard_name=name, idcard_number=number, image=image
        )
        return provider.compare(request, about_to_send=lambda: None)

    def test_the_same_person(self, provider: Provider) -> None:
        answer = self.ask(provider, selfie(portraits.HOPPER))
        assert answer.similarity is not None
        assert answer.similarity > 95
        assert answer.is_billed == "yes"

    def test_another_person(self, provider: Provider) -> None:
        answer = self.ask(provider, portrait(portraits.COLLINS))
        assert answer.similarity is not None
        assert answer.similarity < 30

    @pytest.mark.parametrize(
        ("image", "reason"),
        [
            (portraits.nobody(), "no_face"),
            (portraits.two_people(), "multiple_faces"),
            (portraits.far_away(), "face_incomplete"),
        ],
    )
    def test_photos_without_one_good_face(
        self, provider: Provider, image: bytes, reason: str
    ) -> None:
        assert self.ask(provider, image).reason_code == reason

    def test_another_name(self, provider: Provider) -> None:
        answer = self.ask(provider, selfie(portraits.HOPPER), name="李四")
        assert answer.reason_code == "id_name_mismatch"


def test_without_the_extra_there_is_no_register(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "missing_packages", lambda: ["cv2"])
    with pytest.raises(CommandError, match="not installed is: cv2"):
        call_command("faceverify_sandbox", "--register", str(PORTRAITS))


@pytest.mark.usefixtures("local_engine")
def test_a_folder_that_is_no_register_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"register\.json"):
        call_command("faceverify_sandbox", "--register", str(tmp_path))
