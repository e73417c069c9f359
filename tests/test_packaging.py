"""What ``pip install`` brings: the wheel holds the package, all of it and nothing else, and works."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from email import message_from_string
from email.message import Message
from pathlib import Path
from zipfile import ZipFile

import pytest

import django_faceverify

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "django_faceverify"
NOT_PACKAGED = ("__pycache__",)

#: a site that adds one app and one dict, as the README tells
SITE = """
import sys
from pathlib import Path

import django
import django_faceverify
from django.conf import settings
from django.core.management import call_command

from django_faceverify.sandbox import Sandbox, scenario_number

HERE = Path(__file__).parent
sandbox = Sandbox().start()
settings.configure(
    SECRET_KEY="of-a-test",
    USE_TZ=True,
    ROOT_URLCONF="django_faceverify.urls",
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django_faceverify",
    ],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": HERE / "db.sqlite3"}},
    STORAGES={
        "faceverify": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": HERE / "photos", "file_permissions_mode": 0o600},
        },
    },
    FACEVERIFY={
        "PROVIDERS": {
            "default": {
                "BACKEND": "django_faceverify.providers.qcloud.QcloudProvider",
                "OPTIONS": {
                    "appid": sandbox.account.appid,
                    "secret_id": sandbox.account.secret_id,
                    "secret_key": sandbox.account.secret_key,
                    "endpoint": sandbox.url,
                },
            },
        },
        "LEVELS": {"default": {"PROVIDER": "default", "LIVE": False}},
        "KEYS": {"test": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="},
    },
)
django.setup()
call_command("check")
call_command("migrate", verbosity=0)

from django_faceverify import intake, sweeper

verification = intake.create(
    user=None,
    idcard_name="张三",
    idcard_number=scenario_number("001"),
    consent={"text_version": "demo-1", "granted": True},
    submission=intake.Submission(image=Path(sys.argv[1]).read_bytes()),
)
sweeper.drain()
verification.refresh_from_db()
print(django_faceverify.__file__, verification.status, verification.similarity, len(sandbox.bill.lines))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built in a copy so that nothing of an old build gets in."""
    folder = tmp_path_factory.mktemp("build")
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    for name in ("django_faceverify", "example_project", "tests"):
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignore)
    build = run([sys.executable, "-m", "build", "--wheel", "--outdir", "dist"], folder)
    if build.returncode and "No matching distribution found for setuptools" in build.stdout:
        pytest.skip("the package index cannot be reached")
    assert build.returncode == 0, build.stdout
    (built,) = (folder / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    with ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return message_from_string(archive.read(name).decode())


def run(command: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """The command's result, its output and errors in one, without what leads to the checkout."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("PYTHONPATH", "DJANGO_SETTINGS_MODULE", "DATABASE_URL")
    }
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )


def test_the_wheel_holds_every_file_of_the_package(names: set[str]) -> None:
    files = {
        str(path.relative_to(ROOT))
        for path in PACKAGE.rglob("*")
        if path.is_file() and not set(path.parts) & set(NOT_PACKAGED)
    }
    assert files - names == set()
    assert "django_faceverify/py.typed" in names


def test_the_wheel_holds_nothing_else(names: set[str]) -> None:
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {
        "django_faceverify"
    }
    assert [name for name in names if name.endswith("licenses/LICENSE")]


def test_the_metadata(metadata: Message) -> None:
    assert metadata["Name"] == "django-faceverify"
    assert metadata["Version"] == django_faceverify.__version__
    assert metadata["Requires-Python"] == ">=3.10"
    assert metadata["License"] == "MIT"
    extras = metadata.get_all("Provides-Extra") or []
    assert {"redis", "openapi", "local", "metrics", "demo", "dev"} <= set(extras)


def test_the_package_asks_for_no_more_than_it_imports(metadata: Message) -> None:
    wanted = {
        re.split(r"[^\w.-]", requirement)[0].lower()
        for requirement in metadata.get_all("Requires-Dist") or []
        if "extra ==" not in requirement
    }
    assert wanted == {
        "celery", "cryptography", "django", "django-filter", "djangorestframework", "pillow",
        "python-stdnum", "requests",
    }  # fmt: skip


def test_the_wheel_works_in_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    assert run([sys.executable, "-m", "venv", "empty"], tmp_path).returncode == 0
    python = str(tmp_path / "empty/bin/python")
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    install = run([*pip, str(wheel)], tmp_path)
    assert install.returncode == 0, install.stdout
    (tmp_path / "small_site.py").write_text(SITE)
    picture = str(ROOT / "example_project/pictures/grace_hopper.jpg")
    site = run([python, "small_site.py", picture], tmp_path)
    assert site.returncode == 0, site.stdout
    where, *result = site.stdout.splitlines()[-1].split()
    assert Path(where).is_relative_to(tmp_path)
    assert result == ["verified", "95.0", "1"]
