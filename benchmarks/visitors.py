"""People who submit: ``python -m benchmarks.visitors ours|naive COUNT [PER_SECOND]``.

Prints one JSON object: seconds of each request and CPU milliseconds for one. Ours goes through
the real REST API, in this process; the peer's rows are written as its view would do it.
"""

from __future__ import annotations

import io
import json
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.settings")
django.setup()

# Django has to be set up before these can be imported.
from django.contrib.auth import get_user_model  # noqa: E402
from django.core.files.base import ContentFile  # noqa: E402
from PIL import Image  # noqa: E402
from rest_framework.test import APIClient  # noqa: E402
from stdnum.cn import ric  # noqa: E402

from benchmarks.celery import app  # noqa: E402, F401 (tasks are sent through it)
from benchmarks.naive.models import NaiveVerification  # noqa: E402
from benchmarks.naive.tasks import verify as verify_naively  # noqa: E402

NAME = "张三"
CONSENT = json.dumps({"text_version": "demo-1", "granted": True})
FIRST_BIRTHDAY, BIRTHDAYS = date(1930, 1, 1), 25_000
#: a JPEG of random pixels of this side has about 200 KB
SIDE = 470
WARM_UP = 5


def main() -> None:
    whose, count = sys.argv[1], int(sys.argv[2])
    per_second = float(sys.argv[3]) if len(sys.argv) > 3 else None
    submit = {"ours": submitter, "naive": naive_submitter}[whose]()
    seconds = []
    cpu = time.process_time()
    for started_at in arrivals(count, per_second):
        submit()
        seconds.append(time.perf_counter() - started_at)
    cpu = time.process_time() - cpu
    print(json.dumps({"seconds": seconds[WARM_UP:], "cpu_ms": 1000 * cpu / count}))  # noqa: T201


def arrivals(count: int, per_second: float | None) -> Iterator[float]:
    """When each visitor comes: evenly spread, or one directly after the other."""
    begin = time.perf_counter()
    for number in range(count):
        if per_second:
            time.sleep(max(0.0, begin + number / per_second - time.perf_counter()))
        yield time.perf_counter()


def idcard_number() -> str:
    """Another one for each person; nobody holds it, since its check digit is wrong."""
    birthday = FIRST_BIRTHDAY + timedelta(days=random.randrange(BIRTHDAYS))  # noqa: S311 (no secret)
    number = f"000000{birthday:%Y%m%d}{random.randrange(1000):03}"  # noqa: S311 (no secret)
    return number + ("1" if ric.calc_check_digit(number + "0") == "0" else "0")


def photo() -> bytes:
    """A picture of 200 KB with as few pixels as possible: decoding is not what is measured."""
    pixels = random.Random(1).randbytes(SIDE * SIDE * 3)  # noqa: S311 (no secret, noise)
    file = io.BytesIO()
    Image.frombytes("RGB", (SIDE, SIDE), pixels).save(file, "JPEG", quality=92)
    return file.getvalue()


def submitter() -> Callable[[], None]:
    """Submits one verification through the REST API."""
    user, _ = get_user_model().objects.get_or_create(username="visitor")
    client = APIClient()
    client.force_authenticate(user)
    data = photo()

    def submit() -> None:
        image = io.BytesIO(data)
        image.name = "photo.jpg"
        response = client.post(
            "/kyc/api/v1/verifications/",
            {
                "idcard_name": NAME,
                "idcard_number": idcard_number(),
                "consent": CONSENT,
                "image": image,
            },
            format="multipart",
        )
        assert response.status_code == 202, response.content  # noqa: S101 (else nothing is measured)

    return submit


def naive_submitter() -> Callable[[], None]:
    data = photo()

    def submit() -> None:
        row = NaiveVerification.objects.create(
            idcard_name=NAME,
            idcard_number=idcard_number(),
            photo=ContentFile(data, name="photo.jpg"),
        )
        verify_naively.delay(row.pk)

    return submit


if __name__ == "__main__":
    main()
