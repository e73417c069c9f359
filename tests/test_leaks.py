"""What other people's code gets from our models: masks, never plaintext.

Whatever a site has installed reads attributes, serializes rows, pickles them, or prints the
variables of a frame. All of that is tried here with the tools themselves.
"""

from __future__ import annotations

import copy
import io
import json
import pickle
import pprint
import sys
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.utils import display_for_field, label_for_field
from django.contrib.auth.models import User
from django.core import serializers
from django.core.management import call_command
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.db.models import F, Max
from django.db.models.functions import Concat, Upper
from django.forms.models import model_to_dict
from django.template import Context, Template
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils.encoding import smart_str
from django.views.debug import ExceptionReporter
from rest_framework.renderers import JSONRenderer
from rest_framework.serializers import ModelSerializer

from django_faceverify import intake
from django_faceverify.models import Photo, Verification
from tests.conftest import CONSENT, draw_jpeg

pytestmark = pytest.mark.django_db

NAME = "欧阳金丝雀"
NUMBER = "000000199001010028"
NOTE = "canary note"
URL = "https://example.com/canary.jpg"


@pytest.fixture
def case(alice: User) -> Verification:
    """A case with a canary in every sealed column, as it is read from the database."""
    case = intake.create(
        user=alice,
        idcard_name=NAME,
        idcard_number=NUMBER,
        consent=CONSENT,
        submission=intake.Submission(url=URL),
    )
    case.review_note = NOTE
    case.save(update_fields=["review_note"])
    return Verification.objects.get(pk=case.pk)


def assert_no_canary(shown: str | bytes) -> None:
    text = shown.decode("utf-8", "replace") if isinstance(shown, bytes) else shown
    spellings = {
        spelling
        for canary in (NAME, NUMBER, NOTE, URL)
        for spelling in (
            canary,
            json.dumps(canary)[1:-1],
            canary.encode().hex(),
            ascii(canary)[1:-1],
        )
    }
    assert [spelling for spelling in spellings if spelling in text] == []


def serialized_by_drf(row: Any) -> bytes:
    meta = type("Meta", (), {"model": type(row), "fields": "__all__"})
    serializer: Any = type("Serializer", (ModelSerializer,), {"Meta": meta})
    rendered: bytes = JSONRenderer().render(serializer(row).data)
    return rendered


def audited(row: Any) -> str:
    """As audit logs collect values: the attribute of each field, made a text."""
    return " ".join(
        smart_str(getattr(row, field.name)) for field in type(row)._meta.concrete_fields
    )


TOOLS: dict[str, Callable[[Any], str | bytes]] = {
    "repr": repr,
    "str": str,
    "format": lambda row: f"{row} {row!r} {row!s:>40} %s" % row,
    "vars": lambda row: pprint.pformat(vars(row)),
    "attributes": audited,
    "model_to_dict": lambda row: str(model_to_dict(row)),
    "values": lambda row: str(list(type(row).objects.values())),
    "values_list": lambda row: str(list(type(row).objects.values_list())),
    "in_bulk": lambda row: str([vars(one) for one in type(row).objects.in_bulk().values()]),
    "DRF": serialized_by_drf,
    "json": lambda row: json.dumps(model_to_dict(row), default=str),
    "pickle": pickle.dumps,
    "pickled queryset": lambda row: pickle.dumps(type(row).objects.all()),
    "deepcopy": lambda row: repr(vars(copy.deepcopy(row))),
    "serializers": lambda row: "".join(
        serializers.serialize(name, [row])
        for name in ("json", "xml", "jsonl", "python")
        if name != "python"
    ),
    "python serializer": lambda row: json.dumps(
        serializers.serialize("python", [row]), cls=DjangoJSONEncoder
    ),
    "sizes": lambda row: str(sys.getsizeof(row)),
}


@pytest.mark.parametrize("tool", TOOLS)
def test_tools_see_no_plaintext(case: Verification, tool: str) -> None:
    for row in (case, Photo.objects.get()):
        assert_no_canary(TOOLS[tool](row))


def test_dumpdata_has_no_plaintext(case: Verification) -> None:
    output = io.StringIO()
    call_command("dumpdata", "django_faceverify", stdout=output)
    assert str(case.pk) in output.getvalue()
    assert_no_canary(output.getvalue())


def test_a_template_shows_the_mask(case: Verification) -> None:
    template = Template(
        "{{ case.idcard_name }} {{ case.idcard_number }} {{ case.idcard_number|upper }}"
        " {{ case.idcard_number|pprint }} {{ case.idcard_number.reveal }}"
        " {% for letter in case.idcard_number|make_list %}{{ letter }}{% endfor %}"
    )
    shown = template.render(Context({"case": case}))
    assert "000***********0028" in shown
    assert_no_canary(shown)


def test_the_admin_shows_the_mask(case: Verification) -> None:
    for item in Verification._meta.concrete_fields:
        assert label_for_field(item.name, Verification)
        assert_no_canary(str(display_for_field(getattr(case, item.name), item, "-")))


def test_the_database_gives_and_logs_no_plaintext(case: Verification) -> None:
    rows = Verification.objects.annotate(
        loud=Upper(F("idcard_name")), joined=Concat("idcard_name", "idcard_number")
    )
    with CaptureQueriesContext(connection) as queries:
        shown = [str(vars(row)) for row in rows]
        case.save()
        intake.find_by_idcard_number(NUMBER).count()
    shown += [str(Verification.objects.aggregate(most=Max("idcard_name")))]
    shown += [query["sql"] for query in queries.captured_queries]
    assert_no_canary(" ".join(shown))


def test_an_attribute_cannot_be_changed_into_text(case: Verification) -> None:
    value = case.idcard_number
    for use in (
        lambda: value + "",
        lambda: value[:3],
        lambda: json.dumps(value),
        lambda: "".join(value),
        lambda: int(value),
        lambda: bytes(value),
        lambda: list(value),
        lambda: pickle.dumps(value),
    ):
        with pytest.raises(TypeError):
            use()
    assert value != NUMBER
    assert not hasattr(value, "__dict__")


def report(error: BaseException) -> str:
    reporter = ExceptionReporter(RequestFactory().get("/"), type(error), error, error.__traceback__)
    return reporter.get_traceback_html() + reporter.get_traceback_text()


def test_the_debug_page_has_no_plaintext(settings: Any, case: Verification) -> None:
    """With DEBUG on, Django prints every variable of every frame of somebody's view."""
    settings.DEBUG = True
    name, number, rows = case.idcard_name, case.idcard_number, list(Verification.objects.values())
    copied = copy.deepcopy(case)
    try:
        raise RuntimeError(f"{case} {name} {number} {rows} {copied}")
    except RuntimeError as error:
        shown = report(error)
    assert "copied" in shown
    assert "&lt;sealed&gt;" in shown
    assert_no_canary(shown)


def test_an_error_mail_has_no_plaintext(
    settings: Any, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With DEBUG off, also where our own functions hold what a person sent."""
    settings.DEBUG = False

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError

    for where in (
        "django_faceverify.sealing.os.urandom",
        "django_faceverify.intake.sealing.blind_index",
        "django_faceverify.intake.check",
        "django_faceverify.intake.stored.__enter__",
        "django_faceverify.lifecycle.Event.objects.append_locked",
        "django_faceverify.intake.quotas.admit_submission",
    ):
        with monkeypatch.context() as patch:
            patch.setattr(where, fail)
            with pytest.raises(RuntimeError) as caught:
                send(alice)
        shown = frames_of_ours(caught.value)
        assert "idcard_number" in shown
        assert_no_canary(shown)


def send(alice: User) -> None:
    intake.create(
        user=alice,
        idcard_name=NAME,
        idcard_number=NUMBER,
        consent=CONSENT,
        submission=intake.Submission(image=draw_jpeg()),
    )


def frames_of_ours(error: BaseException) -> str:
    """What the mail tells about our frames; a test's own are its own affair."""
    reporter = ExceptionReporter(RequestFactory().get("/"), type(error), error, error.__traceback__)
    return "".join(
        f"{frame['function']} {frame['vars']}"
        for frame in reporter.get_traceback_data()["frames"]
        if "django_faceverify" in frame["filename"]
    )
