"""A site whose broker is down takes three photos: its seconds as JSON."""

from __future__ import annotations

import json
import sys
import time

from django.core.management import call_command

from django_faceverify import intake, sweeper
from django_faceverify.models import Verification
from example_project.celery import app
from tests.conftest import CONSENT, IDCARD_NAME, IDCARD_NUMBER, draw_jpeg


def main() -> None:
    app.set_current()
    call_command("migrate", verbosity=0)
    picture = intake.Submission(image=draw_jpeg())
    seconds, accepted = 0.0, []
    for _ in range(3):
        start = time.monotonic()
        verification = intake.create(
            user=None,
            idcard_name=IDCARD_NAME,
            idcard_number=IDCARD_NUMBER,
            consent=CONSENT,
            submission=picture,
        )
        seconds = max(seconds, time.monotonic() - start)
        accepted.append(verification.status)
    sweeper.drain()
    finally_ = list(Verification.objects.values_list("status", flat=True))
    sys.stdout.write(json.dumps({"seconds": seconds, "accepted": accepted, "finally": finally_}))
