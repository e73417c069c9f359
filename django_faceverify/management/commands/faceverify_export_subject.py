"""``manage.py faceverify_export_subject``: everything that is held about one person."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder
from django.views.decorators.debug import sensitive_variables

from django_faceverify import dossier
from django_faceverify.management import subject

Write = Callable[[str, bytes], None]


class Command(BaseCommand):
    help = (
        "Write everything that is held about one person, in clear: subject.json and the photos, "
        "into a new folder or a new .zip file that only you can read. Each look at sealed data "
        "goes into the history. Ends with 2 if what was given cannot be used, and with 3 if there "
        "is no such case."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        subject.add_arguments(parser)
        parser.add_argument(
            "--output", required=True, metavar="PATH", help="a folder or a .zip file; not there yet"
        )
        parser.add_argument(
            "--reason", default="request of access", help="why, for the history (%(default)s)"
        )
        parser.add_argument("--no-photos", action="store_true", help="leave the photos out")

    @sensitive_variables("told")
    def handle(self, **options: Any) -> None:
        if not options["reason"].strip():
            raise CommandError("--reason is empty.", returncode=subject.UNUSABLE)
        user = subject.acting_user(options)
        actor = subject.actor_of(user)
        cases = list(subject.cases(options))
        photo_count = 0
        with ExitStack() as stack:
            write = _open_output(Path(options["output"]), stack)
            told = dossier.about(actor)
            told["verifications"] = [
                dossier.describe(verification, actor=actor, reason=options["reason"])
                for verification in cases
            ]
            text = json.dumps(told, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2)
            write("subject.json", text.encode())
            if not options["no_photos"]:
                for verification in cases:
                    for picture in dossier.pictures(verification, actor=actor):
                        write(picture.name, picture.data)
                        photo_count += 1
        self.stdout.write(
            f"Cases: {len(cases)}, photos: {photo_count}, in {options['output']}. "
            "They are in clear: hand them over safely, and delete them here."
        )


def _open_output(path: Path, stack: ExitStack) -> Write:
    """A new folder or archive that nobody else may read; what is there is not overwritten."""
    try:
        if path.suffix.lower() == ".zip":
            return _archive(path, stack)
        path.mkdir(mode=0o700)
    except FileExistsError:
        raise CommandError("--output is there already.", returncode=subject.UNUSABLE) from None
    except OSError as error:
        raise CommandError(
            f"--output cannot be made ({error.strerror}).", returncode=subject.UNUSABLE
        ) from None
    return lambda name, data: _write_private(path / name, data)


def _archive(path: Path, stack: ExitStack) -> Write:
    file = stack.enter_context(os.fdopen(_new_private(path), "wb"))
    archive = stack.enter_context(zipfile.ZipFile(file, "w"))

    def write(name: str, data: bytes) -> None:
        entry = zipfile.ZipInfo(name)
        entry.external_attr = 0o600 << 16
        archive.writestr(entry, data, zipfile.ZIP_DEFLATED)

    return write


def _write_private(path: Path, data: bytes) -> None:
    with os.fdopen(_new_private(path), "wb") as file:
        file.write(data)


def _new_private(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
