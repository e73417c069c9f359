"""A ciphertext opens in its own row, column, model and file, under its own key, and nowhere else."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.db import connection, models
from django.db.models import TextField
from django.db.models.functions import Cast

from django_faceverify import rotation, sealing
from django_faceverify.exceptions import SealBroken
from django_faceverify.models import Photo, Verification
from django_faceverify.models.fields import Sealed, SealedTextField
from django_faceverify.models.keys import new_id
from django_faceverify.models.photo import photo_storage, store_photo
from tests.conftest import IDCARD_NAME, IDCARD_NUMBER, draw_jpeg, submitted

ROWS = 20
OTHER_KEY = base64.b64encode(bytes(range(32, 64))).decode()

Place = tuple[type[models.Model], SealedTextField, Any]


def places() -> list[Place]:
    """Every sealed column of every model, in twenty rows each; the same keys in all models."""
    keys = [new_id() for _ in range(ROWS)]
    return [
        (model, item, key)
        for model in rotation.sealed_models()
        for item in rotation.sealed_fields(model)
        for key in keys
    ]


def sealed_at(place: Place) -> str:
    _, item, pk = place
    return sealing.seal_text("secret", context=item.context_of(pk))


def opens_at(place: Place, token: str) -> bool:
    """Whether a row that was read with this token in this column opens it."""
    model, item, pk = place
    row = model(pk=pk)
    row.__dict__[item.attname] = Sealed(token)
    try:
        opened: str = getattr(row, item.name).unseal()
    except SealBroken:
        return False
    assert opened == "secret"
    return True


def test_no_pair_of_places_can_be_swapped() -> None:
    everywhere = places()
    tokens = [sealed_at(place) for place in everywhere]
    assert len(everywhere) >= 4 * ROWS
    for here, place in enumerate(everywhere):
        opened = [there for there, token in enumerate(tokens) if opens_at(place, token)]
        assert opened == [here]


def test_no_key_id_can_be_swapped(settings: Any) -> None:
    keys = {"other": OTHER_KEY, **settings.FACEVERIFY["KEYS"]}
    settings.FACEVERIFY = {**settings.FACEVERIFY, "KEYS": keys}
    place = places()[0]
    token = sealed_at(place)
    assert token.startswith("fv1.other.")
    assert opens_at(place, token)
    for key_id in ("test", "gone", "", "OTHER", "other "):
        assert not opens_at(place, token.replace(".other.", f".{key_id}.", 1))


def test_no_bit_can_be_flipped() -> None:
    place = places()[0]
    token = sealed_at(place)
    for position, character in enumerate(token):
        for bit in range(7):
            changed = chr(ord(character) ^ 1 << bit)
            assert not opens_at(place, token[:position] + changed + token[position + 1 :])
    for length in range(len(token)):
        assert not opens_at(place, token[:length] or "-")


@pytest.mark.parametrize(
    "plaintext", [IDCARD_NAME, IDCARD_NUMBER, "fv1.test.", "fv1.test.AAAA", "secret", " "]
)
@pytest.mark.django_db
def test_no_plaintext_can_be_injected(verification: Verification, plaintext: str) -> None:
    for item in rotation.sealed_fields(Verification):
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {Verification._meta.db_table} SET {item.column} = %s", [plaintext]
            )
        with pytest.raises(SealBroken):
            getattr(Verification.objects.get(), item.name).unseal()


def audited() -> tuple[bool, str]:
    """Whether the audit is content, and what it says."""
    out = io.StringIO()
    try:
        call_command("faceverify_audit", "verify", stdout=out)
    except SystemExit:
        return False, out.getvalue()
    return True, out.getvalue()


@pytest.mark.django_db
@pytest.mark.parametrize("column", ["idcard_name", "idcard_number", "idcard_number_index"])
def test_the_audit_finds_swapped_rows(alice: User, column: str) -> None:
    numbers = ("000000199001010011", "000000199002020010")
    cases = [submitted(alice, idcard_number=number) for number in numbers]
    assert audited()[0]
    rows = Verification.objects.annotate(raw=Cast(column, TextField()))
    raw = dict(rows.values_list("pk", "raw"))
    with connection.cursor() as cursor:
        for one, other in (cases, cases[::-1]):
            cursor.execute(
                f"UPDATE {Verification._meta.db_table} SET {column} = %s WHERE id = %s",
                [raw[other.pk], Verification._meta.pk.get_db_prep_value(one.pk, connection)],
            )
    is_content, said = audited()
    assert not is_content
    assert said.count("seal ") == 2
    for case in cases:
        assert f"verification {case.pk} {column} does not open" in said


@pytest.mark.django_db
def test_no_file_can_be_swapped(alice: User) -> None:
    photos = [submitted(alice, jpeg=draw_jpeg(seed=seed)).photos.get() for seed in range(4)]
    tokens = {photo.file_name: token_of(photo) for photo in photos}
    for photo in photos:
        for name, token in tokens.items():
            put(photo.file_name, token)
            if name == photo.file_name:
                assert photo.read()
                continue
            with pytest.raises(SealBroken):
                photo.read()
        put(photo.file_name, tokens[photo.file_name])


@pytest.mark.django_db
def test_no_byte_of_a_file_can_be_flipped(verification: Verification) -> None:
    photo = verification.photos.get()
    for changed in flipped(token_of(photo)):
        put(photo.file_name, changed)
        with pytest.raises(SealBroken):
            photo.read()


def test_a_file_and_a_column_of_one_row_cannot_be_swapped() -> None:
    pk = new_id()
    name = store_photo(pk, b"secret")
    with photo_storage().open(name) as file:
        token = file.read()
    format_, key_id, body = token.split(b".", 2)
    as_text = b".".join((format_, key_id, base64.urlsafe_b64encode(body))).decode()
    for item in rotation.sealed_fields(Photo):
        assert not opens_at((Photo, item, pk), as_text)
        column = sealed_at((Photo, item, pk)).encode()
        put(name, column)
        with pytest.raises(SealBroken):
            Photo(pk=pk, file_name=name).read()


def token_of(photo: Photo) -> bytes:
    with photo_storage().open(photo.file_name) as file:
        token: bytes = file.read()
    return token


def put(name: str, token: bytes) -> None:
    photo_storage().delete(name)
    assert photo_storage().save(name, ContentFile(token)) == name


def flipped(token: bytes) -> Iterator[bytes]:
    """A bit of each byte of the head, of every 50th byte of the body, and of the tag."""
    size = len(token)
    for position in {*range(60), *range(60, size, 50), *range(size - 16, size)}:
        changed = bytearray(token)
        changed[position] ^= 1
        yield bytes(changed)
    yield token[:-1]
    yield token + b"\0"
