"""``faceverify_doctor``: finds what is wrong, shows no secret, makes no call."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from socket import socket
from typing import Any

import pytest
from celery import Celery
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import override_settings

from django_faceverify import doctor
from django_faceverify.audit import triggers
from django_faceverify.doctor import surroundings
from django_faceverify.faces import engine
from django_faceverify.models import Verification
from django_faceverify.models.clock import db_now
from django_faceverify.sandbox import Sandbox
from example_project.demo.pictures import PORTRAITS
from tests.audit.conftest import in_the_future
from tests.conftest import submitted

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "a-secret-that-nobody-may-see"


@pytest.fixture(autouse=True)
def _broker(monkeypatch: pytest.MonkeyPatch) -> None:
    use_broker(monkeypatch, "memory://")


def use_broker(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    app = Celery(broker=url, set_as_current=False)
    monkeypatch.setattr(surroundings, "current_app", app)


def examine() -> tuple[int, dict[str, list[tuple[str, str]]]]:
    """The exit code, and level and text of every finding by its area."""
    out, code = StringIO(), 0
    try:
        call_command("faceverify_doctor", "--json", stdout=out)
    except SystemExit as end:
        code = int(end.code or 0)
    report = json.loads(out.getvalue())
    assert report["is_healthy"] == (code == 0)
    assert SECRET not in out.getvalue()
    findings: dict[str, list[tuple[str, str]]] = {}
    for finding in report["findings"]:
        findings.setdefault(finding["area"], []).append((finding["level"], finding["text"]))
    return code, findings


def faceverify(**changes: Any) -> override_settings:
    return override_settings(FACEVERIFY={**settings.FACEVERIFY, **changes})


def provider_at(endpoint: str) -> override_settings:
    account = {"appid": "1", "secret_id": "id", "secret_key": SECRET, "endpoint": endpoint}
    backend = "django_faceverify.providers.qcloud.QcloudProvider"
    return faceverify(PROVIDERS={"default": {"BACKEND": backend, "OPTIONS": account}})


def photos_in(folder: Path, **options: Any) -> override_settings:
    backend = "django.core.files.storage.FileSystemStorage"
    storage = {"BACKEND": backend, "OPTIONS": {"location": str(folder), **options}}
    return override_settings(STORAGES={**settings.STORAGES, "faceverify": storage})


def test_a_healthy_site() -> None:
    code, findings = examine()
    assert code == 0
    assert set(findings) == set(doctor.EXAMINATIONS) | {"clock"}
    assert findings["keys"] == [("ok", "test seals; to open: test")]
    assert findings["queue"][0] == ("ok", "due: 0")


def test_people_get_lines() -> None:
    out = StringIO()
    call_command("faceverify_doctor", stdout=out)
    assert "ok       keys      test seals" in out.getvalue()


def test_a_provider_that_answers_is_connected_to_and_not_called() -> None:
    with Sandbox() as sandbox, provider_at(sandbox.url):
        code, findings = examine()
        assert sandbox.service.calls == {}
    assert code == 0
    capabilities, reach = findings["provider"]
    assert reach == ("ok", f"default: 127.0.0.1:{sandbox.port} is reachable")
    assert capabilities == (
        "ok",
        "default: photos up to 6287360 bytes, sent as they are, photos by address, no table of "
        "rates, does not judge liveness, cannot be asked, run by Tencent Cloud (CN), no legal name",
    )


def test_a_provider_that_cannot_be_reached() -> None:
    with socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with provider_at(f"http://127.0.0.1:{port}/face/idcardcompare"):
            code, findings = examine()
    assert code == 1
    assert [level for level, _ in findings["provider"]] == ["ok", "error"]


def test_a_wrong_setting_is_told_with_its_number() -> None:
    with faceverify(UNKNOWN_POLICY="hope"):
        code, findings = examine()
    assert code == 1
    assert findings["settings"][0][1].startswith("faceverify.E006: ")


def test_no_keys() -> None:
    with faceverify(KEYS={}):
        code, findings = examine()
    assert code == 1
    assert findings["keys"] == [("error", "there is none")]


def test_photos_that_others_can_open(tmp_path: Path) -> None:
    with photos_in(tmp_path / "photos", file_permissions_mode=0o644):
        code, findings = examine()
    assert code == 1
    assert findings["storage"][0][0] == "error"
    assert "0644" in findings["storage"][0][1]


def test_private_photos(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    with photos_in(tmp_path, file_permissions_mode=0o600):
        code, findings = examine()
    assert code == 0
    assert findings["storage"] == [("ok", "writable and private")]
    assert list(tmp_path.iterdir()) == []


def test_a_storage_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "photos").write_text("a file where a folder should be")
    with photos_in(tmp_path / "photos"):
        code, findings = examine()
    assert code == 1
    assert findings["storage"][0][0] == "error"


def test_a_broker_that_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    use_broker(monkeypatch, f"redis://:{SECRET}@127.0.0.1:1/0")
    code, findings = examine()
    assert code == 1
    assert findings["broker"] == [
        ("error", "redis at 127.0.0.1:1 is not reachable (OperationalError)")
    ]


def test_work_that_nobody_does(verification: Verification) -> None:
    Verification.objects.filter(pk=verification.pk).update(next_run_at=db_now(-120))
    code, findings = examine()
    assert code == 0
    level, text = findings["queue"][0]
    assert (level, text[:6]) == ("warning", "due: 1")
    assert "faceverify_sweep" in text


def test_a_clock_that_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surroundings, "MAX_CLOCK_DIFFERENCE", -1)
    code, findings = examine()
    assert code == 1
    assert findings["clock"][0][0] == "error"


def test_days_without_a_root_are_seen(alice: User) -> None:
    submitted(alice)
    assert examine()[1]["history"] == [("ok", "no root yet")]
    with in_the_future(days=3):
        findings = examine()[1]["history"]
    assert [level for level, _ in findings] == ["warning", "ok"]
    assert "have no root" in findings[0][1]


def test_missing_triggers_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(triggers, "is_expected", lambda _: True)
    monkeypatch.setattr(triggers, "missing", lambda _: ["faceverify_event_no_update"])
    assert examine()[1]["history"][0][0] == "warning"


class TestFaces:
    """The local engine is examined where it is used, and nowhere else."""

    def test_a_site_without_it(self) -> None:
        assert examine()[1]["faces"] == [("ok", "none is looked at on this machine")]

    @pytest.mark.usefixtures("local_engine")
    def test_whole_weights(self) -> None:
        local = {
            "BACKEND": "django_faceverify.providers.local.LocalProvider",
            "OPTIONS": {"register": str(PORTRAITS)},
        }
        with faceverify(QUALITY={"CHECK": True}, PROVIDERS={"here": local}):
            _, findings = examine()
        assert findings["faces"] == [
            ("ok", "here, QUALITY: the weights are whole, and the nets run")
        ]

    def test_weights_that_changed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse() -> None:
            raise engine.EngineUnavailable("it is not the file that was measured")

        monkeypatch.setattr(engine, "load", refuse)
        with faceverify(QUALITY={"CHECK": True}):
            code, findings = examine()
        assert code == 1
        assert findings["faces"] == [("error", "QUALITY: it is not the file that was measured")]
