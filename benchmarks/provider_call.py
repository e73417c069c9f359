"""One call to a provider: ours, ``requests.post`` and a pooled ``requests.Session``.

``python -m benchmarks.provider_call [--rounds N] [--calls N] [--out FILE.json]`` tells the CPU
time of this process for one call with a photo of 200 KB, over plain HTTP and over TLS. What
counts are the ratios: all variants take turns in one process, so a busy machine meets all.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import requests

from benchmarks import report
from benchmarks.goals import Goal, below
from benchmarks.processes import Stub, end_what_was_started, running_stub
from django_faceverify.providers.base import ComparisonRequest
from django_faceverify.providers.qcloud import QcloudProvider, sign_call

APPID, SECRET_ID, SECRET_KEY = "1250000000", "id", "key"
#: begins like a JPEG; nobody looks further
PHOTO = b"\xff\xd8\xff" + random.Random(1).randbytes(200_000)  # noqa: S311 (no secret, noise)
SESSION_ID = "0" * 32
NAME, NUMBER = "张三", "000000199001010010"

OURS_OF_POST_OVER_TLS = 0.1

Call = Callable[[], object]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.provider_call",
        description="Measure one call to a provider, made in three ways.",
    )
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--calls", type=int, default=20, help="of each variant in a round")
    parser.add_argument("--out", type=Path, metavar="FILE.json")
    options = parser.parse_args(arguments)
    end_what_was_started()
    with (
        tempfile.TemporaryDirectory(prefix="benchmark-") as folder,
        running_stub(Path(folder)) as stub,
    ):
        figures = {
            wire: measure(variants(stub, is_tls=wire == "TLS"), options.rounds, options.calls)
            for wire in ("plain HTTP", "TLS")
        }
    goals = judge(figures)
    for wire, costs in figures.items():
        for name, cost in costs.items():
            report.say(f"{wire:<12} {name:<24} {cost:7.2f} ms  {costs['ours'] / cost:6.2f}")
    report.say_goals(goals)
    if options.out:
        document = {"host": report.host(), "cpu_ms": figures, "goals": report.as_dicts(goals)}
        options.out.write_text(json.dumps(document, indent=1) + "\n")
    return 0


def variants(stub: Stub, *, is_tls: bool) -> dict[str, Call]:
    """The same call in three ways, each as its documentation shows it."""
    endpoint = stub.endpoint(is_tls=is_tls)
    bundle = str(stub.certificates.bundle)
    os.environ["REQUESTS_CA_BUNDLE"] = bundle
    provider = QcloudProvider(
        "default",
        appid=APPID,
        secret_id=SECRET_ID,
        secret_key=SECRET_KEY,
        endpoint=endpoint,
        ca_bundle=bundle,
    )
    request = ComparisonRequest(
        session_id=SESSION_ID, idcard_name=NAME, idcard_number=NUMBER, image=PHOTO
    )
    session = requests.Session()
    fields = {
        "appid": APPID,
        "idcard_number": NUMBER,
        "idcard_name": NAME,
        "session_id": SESSION_ID,
    }

    def post(how: Callable[..., requests.Response]) -> float:
        response = how(
            endpoint,
            data=fields,
            files={"image": PHOTO},
            headers={"Authorization": sign_call(APPID, SECRET_ID, SECRET_KEY)},
            timeout=20,
        )
        return float(response.json()["data"]["similarity"])

    return {
        "ours": lambda: provider.compare(request, about_to_send=lambda: None),
        "requests.post": lambda: post(requests.post),
        "pooled requests.Session": lambda: post(session.post),
    }


def measure(calls: dict[str, Call], rounds: int, count: int) -> dict[str, float]:
    """CPU milliseconds of one call of each variant: the median over the rounds."""
    costs: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(rounds + 1):
        for name in list(calls)[:: 1 if number % 2 else -1]:
            cost = cpu_ms(calls[name], count)
            if number:  # the first round warms up
                costs[name].append(cost)
    return {name: median(values) for name, values in costs.items()}


def cpu_ms(call: Call, count: int) -> float:
    begin = time.process_time()
    for _ in range(count):
        call()
    return 1000 * (time.process_time() - begin) / count


def judge(figures: dict[str, dict[str, float]]) -> list[Goal]:
    over_tls = figures["TLS"]
    ratio = over_tls["ours"] / over_tls["requests.post"]
    return [below("ours over TLS, of requests.post", ratio, OURS_OF_POST_OVER_TLS)]


if __name__ == "__main__":
    sys.exit(main())
