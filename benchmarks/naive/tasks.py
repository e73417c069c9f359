"""The task that everybody writes first: load, save, post, save."""

from __future__ import annotations

import uuid

import requests
from celery import shared_task

from benchmarks.naive.models import NaiveVerification
from benchmarks.settings import ENDPOINT
from django_faceverify.providers.qcloud import sign_call


@shared_task(name="naive.verify", ignore_result=True)
def verify(pk: int) -> None:
    row = NaiveVerification.objects.get(pk=pk)
    row.status = "processing"
    row.session_id = uuid.uuid4().hex
    row.save()
    with row.photo.open("rb") as photo:
        response = requests.post(
            ENDPOINT,
            data={
                "appid": "1250000000",
                "idcard_number": row.idcard_number,
                "idcard_name": row.idcard_name,
                "session_id": row.session_id,
            },
            files={"image": photo},
            headers={"Authorization": sign_call("1250000000", "id", "key")},
            timeout=20,
        )
    row.similarity = response.json()["data"]["similarity"]
    row.status = "verified" if row.similarity >= 80 else "rejected"
    row.save()
