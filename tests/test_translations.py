"""The Chinese translation: whole, current, compiled, shipped, and what people then see."""

from __future__ import annotations

import ast
import configparser
import gettext
import io
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import django
import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.utils import translation
from rest_framework.test import APIClient

from django_faceverify import figures
from django_faceverify import verification as engine
from django_faceverify.api import problems
from django_faceverify.console import case, history, review
from django_faceverify.models import Verification
from django_faceverify.reasons import REASONS, ReasonCode
from tests.conftest import submitted
from tests.scripted import ScriptedProvider, similarity

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "django_faceverify"
CATALOG = Path("locale/zh_Hans/LC_MESSAGES/django.po")

#: what brings the catalog up to date, from within django_faceverify/
UPDATE = "django-admin makemessages -l zh_Hans --add-location file --no-wrap"
COMPILE = "django-admin compilemessages"

#: what a browser in China sends
CHINESE = {"accept-language": "zh-CN,zh;q=0.9,en;q=0.8"}
HAN = re.compile(r"[\u4e00-\u9fff]")
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")
HALF_WIDTH_PUNCTUATION = re.compile(r"[\u4e00-\u9fff][,;:?!.()]|[,;:?!()][\u4e00-\u9fff]")
EXTRACTORS = ("xgettext", "msguniq", "msgmerge", "msgattrib")


@dataclass(frozen=True)
class Message:
    """One entry of a catalog."""

    context: str
    singular: str
    plural: str
    translations: tuple[str, ...]
    is_fuzzy: bool

    @property
    def key(self) -> tuple[str, str, str]:
        return self.context, self.singular, self.plural

    @property
    def compiled(self) -> dict[Any, str]:
        """How the standard library's ``gettext`` holds it."""
        name = f"{self.context}\x04{self.singular}" if self.context else self.singular
        if not self.plural:
            return {name: self.translations[0]}
        return {(name, number): text for number, text in enumerate(self.translations)}


def read_po(path: Path) -> list[Message]:
    """All messages of a ``.po`` file; the first entry is its header, and is left out."""
    blocks = re.split(r"\n{2,}", path.read_text(encoding="utf-8").strip())
    return [_read_block(block) for block in blocks[1:]]


def _read_block(block: str) -> Message:
    texts: dict[str, str] = {}
    keyword = ""
    lines = block.splitlines()
    for line in lines:
        if found := re.fullmatch(r'(?:([\w\[\]]+) )?(".*")', line):
            keyword = found[1] or keyword
            texts[keyword] = texts.get(keyword, "") + ast.literal_eval(found[2])
    return Message(
        context=texts.get("msgctxt", ""),
        singular=texts["msgid"],
        plural=texts.get("msgid_plural", ""),
        translations=tuple(text for name, text in texts.items() if name.startswith("msgstr")),
        is_fuzzy=any(line.startswith("#,") and "fuzzy" in line for line in lines),
    )


def read_mo(path: Path) -> dict[Any, str]:
    with path.open("rb") as file:
        catalog: dict[Any, str] = dict(vars(gettext.GNUTranslations(file))["_catalog"])
    catalog.pop("", None)  # the header
    return catalog


MESSAGES = read_po(PACKAGE / CATALOG)


# the catalog


def test_every_message_is_translated() -> None:
    assert len(MESSAGES) > 300
    for message in MESSAGES:
        assert message.translations, message
        assert not message.is_fuzzy, message
        for text in message.translations:
            assert HAN.search(text), message


def test_placeholders_are_the_same() -> None:
    for message in MESSAGES:
        wanted = Counter(PLACEHOLDER.findall(message.plural or message.singular))
        for text in message.translations:
            assert Counter(PLACEHOLDER.findall(text)) == wanted, message


def test_punctuation_is_chinese() -> None:
    for message in MESSAGES:
        for text in message.translations:
            assert not HALF_WIDTH_PUNCTUATION.search(text), message
            is_sentence = message.singular.endswith(".") and " " in message.singular
            assert text.endswith("。") == is_sentence, message


def test_nothing_old_is_kept() -> None:
    assert "#~" not in (PACKAGE / CATALOG).read_text(encoding="utf-8")
    assert len({message.key for message in MESSAGES}) == len(MESSAGES)


def test_the_words_of_django_stay_its_own() -> None:
    """All catalogs become one: a message that Django has too must not change its pages."""
    ours = {key: text for message in MESSAGES for key, text in message.compiled.items()}
    package = Path(django.__file__).parent
    files = [package / "conf" / CATALOG, *package.glob(f"contrib/*/{CATALOG}")]
    assert len(files) > 5
    for file in files:
        theirs = read_mo(file.with_suffix(".mo"))
        changed = {key: ours[key] for key in ours.keys() & theirs if ours[key] != theirs[key]}
        assert not changed, file


@pytest.mark.skipif(not all(map(shutil.which, EXTRACTORS)), reason="needs the gettext tools")
def test_it_holds_what_the_code_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / PACKAGE.name
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__", "locale"))
    (copy / "locale").mkdir()
    monkeypatch.chdir(copy)
    call_command("makemessages", locale=["zh_Hans"], verbosity=0, stdout=io.StringIO())
    said = {message.key for message in read_po(copy / CATALOG)}
    assert {message.key for message in MESSAGES} == said, f"Run: {UPDATE}"


# the compiled catalog


def test_it_is_compiled() -> None:
    wanted = {key: text for message in MESSAGES for key, text in message.compiled.items()}
    assert read_mo((PACKAGE / CATALOG).with_suffix(".mo")) == wanted, f"Run: {COMPILE}"


@pytest.mark.skipif(shutil.which("msgfmt") is None, reason="needs the gettext tools")
def test_gettext_finds_no_fault_in_it() -> None:
    command = ["msgfmt", "--check", "--output-file", "-", str(PACKAGE / CATALOG)]
    check = subprocess.run(command, capture_output=True, check=False)
    assert check.returncode == 0, check.stderr.decode()


@pytest.mark.parametrize("suffix", [".po", ".mo"])
def test_it_is_shipped(suffix: str) -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    patterns = setup["options.package_data"]["django_faceverify"].split()
    file = CATALOG.with_suffix(suffix)
    assert any(PurePosixPath(file).match(pattern) for pattern in patterns)
    assert (PACKAGE / file).stat().st_size > 10_000


# what people see


def _texts() -> Iterator[tuple[str, Any]]:
    """Everything from our tables that people may read, with where it stands."""
    for code, reason in REASONS.items():
        yield f"REASONS {code}", reason.message
    for reason_code in ReasonCode:
        yield f"ReasonCode {reason_code}", reason_code.label
    tables: dict[str, dict[Any, Any]] = {
        "TITLES": problems.TITLES,
        "SENTENCES": problems.SENTENCES,
        "FIXABLE_BY": case.FIXABLE_BY,
        "MEANINGS": case.MEANINGS,
        "ACTIONS": history.ACTIONS,
        "FACTS": history.FACTS,
    }
    for name, table in tables.items():
        for key, text in table.items():
            yield f"{name} {key}", text
    for decision, wording in review.WORDINGS.items():
        yield f"WORDINGS {decision}", wording.button
        yield f"WORDINGS {decision}", wording.consequence
    config = apps.get_app_config("django_faceverify")
    yield config.name, config.verbose_name
    for model in config.get_models():
        yield from _texts_of(model)


def _texts_of(model: Any) -> Iterator[tuple[str, Any]]:
    yield model.__name__, model._meta.verbose_name
    yield model.__name__, model._meta.verbose_name_plural
    for field in model._meta.concrete_fields:
        where = f"{model.__name__}.{field.name}"
        if field.editable and not field.primary_key and field.name != "sha256":
            yield where, field.verbose_name
        if field.help_text:
            yield where, field.help_text
        for value, label in field.choices or ():
            yield f"{where} {value}", label


@pytest.mark.parametrize(
    ("where", "text"), [pytest.param(where, text, id=where) for where, text in _texts()]
)
def test_it_speaks_chinese(where: str, text: Any) -> None:
    with translation.override("en"):
        assert not HAN.search(str(text))
    with translation.override("zh-hans"):
        assert HAN.search(str(text)), where


@pytest.fixture
def in_review(alice: User) -> Verification:
    verification = submitted(alice)
    ScriptedProvider.script(similarity(72))
    engine.run(verification.pk)
    verification.refresh_from_db()
    return verification


@pytest.fixture
def as_reviewer(reviewer: User, settings: Any) -> Iterator[Client]:
    """At a screen in Chinese, on a site that listens to browsers."""
    first, *rest = settings.MIDDLEWARE
    settings.MIDDLEWARE = [first, "django.middleware.locale.LocaleMiddleware", *rest]
    client = Client(headers=CHINESE)
    client.force_login(reviewer)
    with translation.override("en"):  # and afterwards the language of before
        yield client


LIST = "/admin/django_faceverify/verification/"


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (LIST, ["人脸核验", "审核中", "相似度介于两个阈值之间", "共 1 条核验", "按身份证号查找"]),
        (f"{LIST}find/", ["身份证号", "查找"]),
        (f"{LIST}{{case}}/change/", ["核验结果", "高于审核线 2.0，低于通过线 8.0", "目视为同一人"]),
        ("/admin/django_faceverify/verificationattempt/", ["会话 ID", "已应答", "共 1 条比对请求"]),
        (
            "/admin/django_faceverify/verificationattempt/agreement/",
            ["两家服务商的一致性", "没有第二家服务商旁观"],
        ),
        ("/admin/django_faceverify/verificationattempt/costs/", ["费用", "未计费", "最近 30 天"]),
    ],
)
def test_the_console(
    as_reviewer: Client, in_review: Verification, address: str, said: list[str]
) -> None:
    figures.advance(float("inf"), settled=0)
    response = as_reviewer.get(address.format(case=in_review.pk))
    page = response.content.decode()
    assert response.headers["Content-Language"] == "zh-hans"
    for text in said:
        assert text in page
    left_over = [
        message.singular
        for message in MESSAGES
        if " " in message.singular and not PLACEHOLDER.search(message.singular)
        if message.singular in page
    ]
    assert not left_over


def _as(user: User | None) -> APIClient:
    client = APIClient(headers=CHINESE)
    if user:
        client.force_authenticate(user)
    return client


def test_the_api_tells_how_it_stands(alice: User, in_review: Verification) -> None:
    response = _as(alice).get(f"/kyc/api/v1/verifications/{in_review.pk}/")
    assert response.headers["Content-Language"] == "zh-hans"
    assert response.json()["status"] == "in_review"
    assert response.json()["message"] == "您的核验正在人工审核中，您无需进行任何操作。"


def test_the_api_refuses_in_chinese_and_by_the_same_codes(alice: User) -> None:
    fields = {"idcard_name": "张三", "idcard_number": "123"}
    body = _as(alice).post("/kyc/api/v1/verifications/", fields, format="json").json()
    assert body["code"] == "invalid_input"
    assert body["title"] == "请求无法处理"
    assert body["errors"] == [
        {
            "pointer": "#/idcard_number",
            "code": "idcard_number_length",
            "detail": "身份证号应为 18 位。",
        }
    ]


@pytest.mark.parametrize("address", ["verifications/", "nowhere/"])
def test_other_problems(db: None, address: str) -> None:
    response = _as(None).get(f"/kyc/api/v1/{address}")
    assert response.status_code in (401, 403, 404)
    assert HAN.search(response.json()["title"])
    assert HAN.search(response.json()["detail"])
