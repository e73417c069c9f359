"""What people, staff and misfortune do to a site: each path once, with secrets on it."""

from __future__ import annotations

import json
import re
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import requests

from django_faceverify.sandbox.scenarios import scenario_number
from tests.canary.wire import GARBAGE
from tests.canary.world import BIRTH_MONTH, NAME, PASSWORD, WORDS, World
from tests.databases import connected
from tests.photos import jpeg, noise

SMALL = jpeg(noise(300, 320, seed=7), quality=90)
#: larger than what Django keeps in memory by itself
LARGE = jpeg(noise(1900, 1500, seed=8), quality=95)
#: what is no photo, and yet was sent as one
BROKEN = SMALL[: len(SMALL) * 2 // 3]
URL = f"https://{WORDS}.example/face.jpg?of={WORDS}"

CONSENT = {"text_version": "demo-1", "granted": True}
LETTERS = "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥"
#: answers to a call, and answers after which the site leaves the provider alone for a while
ANSWERS = ("001", "002", "003", "004", "005", "006", "010", "011", "012")
FAULTS = ("030", "031", "040", "041", "042", "043", "044", "045", "046", "047", "050", "051")


class Journey:
    """Goes through the site as its people do, and remembers what the site answered."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.day = 0
        self.steps: list[str] = []
        self.answers: list[requests.Response] = []
        self.cases: dict[str, str] = {}

    def person(self, scenario: str = "001") -> dict[str, Any]:
        """Somebody whom nobody else is: a name and an ID number of their own."""
        self.day += 1
        day, turn = 1 + self.day % 31, self.day // 31
        date = f"{BIRTH_MONTH}{day:02d}"
        return {
            "idcard_name": NAME + LETTERS[self.day % len(LETTERS)] + LETTERS[turn],
            "idcard_number": scenario_number(scenario, date),
        }

    # the API

    def post(self, path: str, who: str = "alice", **request: Any) -> requests.Response:
        answer = requests.post(
            f"{self.world.address}/kyc/api/v1/{path}",
            auth=(who, f"{PASSWORD}-{who}"),
            timeout=60,
            **request,
        )
        self.steps.append(f"POST {path} {answer.status_code}")
        self.answers.append(answer)
        return answer

    def get(self, path: str, who: str = "alice") -> requests.Response:
        answer = requests.get(
            f"{self.world.address}/kyc/api/v1/{path}",
            auth=(who, f"{PASSWORD}-{who}"),
            timeout=60,
        )
        self.answers.append(answer)
        return answer

    def submit(self, scenario: str = "001", photo: bytes = SMALL, **more: Any) -> requests.Response:
        """A photo in a form, as a browser sends it."""
        fields = {**self.person(scenario), "consent": json.dumps(CONSENT), **more}
        return self.post("verifications/", data=fields, files={"image": ("me.jpg", photo)})

    def submit_json(self, scenario: str = "001", **more: Any) -> requests.Response:
        return self.post(
            "verifications/", json={**self.person(scenario), "consent": CONSENT, **more}
        )

    def case(self, answer: requests.Response) -> str:
        assert answer.status_code in (201, 202), answer.text
        pk: str = answer.json()["id"]
        return pk

    def wait_for(self, case: str, *statuses: str) -> str:
        seen = ""

        def is_there() -> bool:
            nonlocal seen
            seen = self.get(f"verifications/{case}/").json()["status"]
            return seen in statuses if statuses else seen != "processing"

        self.world.wait_until(is_there, f"{case} is {statuses or 'decided'}")
        return seen

    # parts of the journey

    def every_outcome(self) -> None:
        for scenario in ANSWERS:
            self.cases[scenario] = self.case(self.submit(scenario))
        self.cases["large"] = self.case(self.submit("001", LARGE))
        self.cases["url"] = self.case(self.submit_json("002", url=URL))
        for case in self.cases.values():
            self.wait_for(case)

    def every_fault(self) -> None:
        for scenario in FAULTS:
            self.world.end_pauses()
            calls = self.world.calls
            self.case(self.submit(scenario))
            self.world.wait_until(
                lambda calls=calls: self.world.calls > calls,  # type: ignore[misc]
                f"the provider is called ({scenario})",
            )
        time.sleep(2.5)  # the one that is never answered

    def corrected(self) -> None:
        """The person sends another photo, and a better name and number with it."""
        case = self.cases["004"]
        fields = {**self.person("002"), "consent": json.dumps(CONSENT)}
        answer = self.post(
            f"verifications/{case}/photos/", data=fields, files={"image": ("me.png", SMALL)}
        )
        assert answer.status_code in (202, 400), answer.text
        self.wait_for(case)

    def wrong_input(self) -> None:
        """Refused, with the secrets in every wrong place."""
        person = self.person()
        name, number = person["idcard_name"], person["idcard_number"]
        wrong: list[dict[str, Any]] = [
            {"idcard_number": number[:-1]},
            {"idcard_number": int(number)},
            {"idcard_number": [number]},
            {"idcard_number": {number: name}},
            {"idcard_name": f"{name}\x00"},
            {"idcard_name": name * 30},
            {"idcard_name": {"first": name}},
            {name: number},
            {"level": name},
            {"level": {"x": number}},
            {"reference": {"of": number}},
            {"metadata": name},
            {"metadata": number},
            {"consent": number},
            {"consent": {"text_version": name, "granted": True}},
            {"consent": {"text_version": "demo-1", "granted": name}},
            {"consent": {"text_version": "demo-1", "granted": True, number: name}},
            {"consent": None},
            {"url": f"ftp://{WORDS}.example/"},
            {"url": f"http://{WORDS}@127.0.0.1/{number}"},
            {"image": number},
        ]
        for change in wrong:
            answer = self.post("verifications/", json={**person, "consent": CONSENT, **change})
            assert answer.status_code < 500, (change.keys(), answer.text)
        raw = json.dumps(person, ensure_ascii=False).encode()
        for body, kind in (
            (raw[:-5], "application/json"),
            (raw + raw, "application/json"),
            (b"[" + raw + b"]", "application/json"),
            (raw.replace(b'"idcard_name"', b'"idcard_number"'), "application/json"),
            (raw, "application/json; charset=gbk"),
            (raw, f"application/json; charset={WORDS}"),
            (b"\xff" + raw, "application/json"),
            (raw, f"multipart/form-data; boundary={WORDS}"),
            (raw, "multipart/form-data"),
            (raw, "text/plain"),
            (b"[" * 100_000 + raw, "application/json"),
        ):
            answer = self.post("verifications/", data=body, headers={"Content-Type": kind})
            assert answer.status_code < 500, (kind, answer.text)
        for photo in (BROKEN, SMALL[:100], b"%PDF" + SMALL, SMALL + LARGE * 2):
            assert 400 <= self.submit(photo=photo).status_code < 500
        many = [("image", ("a.jpg", SMALL)), ("image", ("b.jpg", SMALL)), (name, (name, SMALL))]
        fields = {**person, "consent": json.dumps(CONSENT)}
        assert self.post("verifications/", data=fields, files=many).status_code == 400
        wrong_login = requests.post(
            f"{self.world.address}/kyc/api/v1/verifications/",
            auth=("alice", f"{WORDS}-mistyped"),
            json=person,
            timeout=60,
        )
        assert wrong_login.status_code == 401

    def cut_upload(self) -> None:
        """The connection breaks in the middle of a photo."""

        def half() -> Iterator[bytes]:
            yield b'--x\r\nContent-Disposition: form-data; name="idcard_number"\r\n\r\n'
            yield self.person()["idcard_number"].encode() + b"\r\n"
            yield b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n'
            yield LARGE[: len(LARGE) // 2]
            raise ConnectionError

        with suppress(ConnectionError, requests.ConnectionError):
            self.post(
                "verifications/",
                data=half(),
                headers={"Content-Type": "multipart/form-data; boundary=x"},
            )

    def echoing_provider(self, modes: list[str]) -> None:
        assert self.world.wire is not None
        for mode in modes:
            self.world.end_pauses()
            with self.world.wire.misbehaving(mode):
                before = self.world.wire.calls
                case = self.case(self.submit())
                self.world.wait_until(
                    lambda before=before: self.world.wire.calls > before,  # type: ignore[misc]
                    f"the provider is called ({mode})",
                )
                self.cases[f"echo: {mode}"] = case
                time.sleep(0.3)
        self.world.end_pauses()
        with self.world.wire.misbehaving("message"):
            self.cases["echo: url"] = self.case(self.submit_json(url=URL))
            time.sleep(1)

    def provider_down(self) -> None:
        assert self.world.wire is not None
        with self.world.wire.misbehaving("silent"):
            self.case(self.submit())
            time.sleep(0.5)

    def killed_worker(self) -> None:
        """The worker dies in the middle of a call; then messages lie in the broker a while."""
        self.world.end_pauses()
        calls = self.world.calls
        self.case(self.submit("042"))
        self.world.wait_until(lambda: self.world.calls > calls, "the provider is called")
        self.world.kill("worker")
        for _ in range(3):
            self.case(self.submit())
        self.world.keep_broker("without-worker")
        self.world.start_worker()

    def killed_web_server(self) -> None:
        """It dies while it takes large photos; what it put into files stays where it is."""
        threads = [threading.Thread(target=self._submit_in_vain) for _ in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(0.15)
        self.world.kill("web")
        for thread in threads:
            thread.join()
        self.world.start_web()

    def _submit_in_vain(self) -> None:
        with suppress(requests.RequestException):
            self.submit(photo=LARGE)

    def failing_storage(self) -> None:
        """The folder of the photos is no folder for a while."""
        photos = self.world.photos
        aside = photos.with_name("photos-aside")
        photos.rename(aside)
        photos.write_bytes(b"")
        try:
            assert self.submit().status_code >= 500
        finally:
            photos.unlink()
            aside.rename(photos)

    def failing_database(self) -> None:
        with self.database_out_of_order():
            assert self.submit().status_code >= 500
            self.submit_json()
            answer = self.post(
                "verifications/search/", "reviewer", json=dict(list(self.person().items())[1:])
            )
            assert answer.status_code >= 500

    @contextmanager
    def database_out_of_order(self) -> Iterator[None]:
        """SQLite is locked; a server has lost a table that everything needs."""
        if not self.world.database_url:
            connection = sqlite3.connect(self.world.data / "db.sqlite3", isolation_level=None)
            connection.execute("PRAGMA busy_timeout = 20000")
            connection.execute("BEGIN EXCLUSIVE")
            try:
                yield
            finally:
                connection.execute("ROLLBACK")
                connection.close()
            return
        table, aside = "django_faceverify_counter", "somewhere_else"
        with connected(self.world.database_url) as connection_, connection_.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {table} RENAME TO {aside}")
            try:
                yield
            finally:
                cursor.execute(f"ALTER TABLE {aside} RENAME TO {table}")

    # staff

    def staff(self) -> None:
        """By the API: search, reveal, decide, take back, look at photos."""
        person = self.person("002")
        case = self.case(
            self.post(
                "verifications/",
                data={**person, "consent": json.dumps(CONSENT)},
                files={"image": ("me.jpg", SMALL)},
            )
        )
        self.cases["staff"] = case
        assert self.wait_for(case) == "in_review"
        number = {"idcard_number": person["idcard_number"]}
        found = self.post("verifications/search/", "reviewer", json=number)
        assert [one["id"] for one in found.json()["results"]] == [case]
        self.post("verifications/search/", "reviewer", json={"idcard_number": WORDS})
        why = {"reason_code": "fraud", "note": f"{WORDS} told me about {NAME}"}
        shown = self.post(f"verifications/{case}/reveal/", "reviewer", json=why)
        assert shown.json()["idcard_name"] == person["idcard_name"]
        self.post(f"verifications/{case}/reveal/", "reviewer", json={**why, "reason_code": NAME})
        for path in ("", "events/", "attempts/"):
            assert self.get(f"verifications/{case}/{path}", "reviewer").ok
        decision = {"decision": "verify", "reason_code": "same_person", "note": f"{WORDS} {NAME}"}
        self.post(f"verifications/{case}/review/", "reviewer", json={**decision, "note": 7})
        assert self.post(f"verifications/{case}/review/", "reviewer", json=decision).ok
        assert (
            self.post(f"verifications/{case}/review/", "checker", json=decision).status_code == 409
        )
        again = {"reason_code": "fraud_suspected"}
        self.post(f"verifications/{case}/reopen/", "reviewer", json=again)
        self.post(f"verifications/{case}/reopen/confirm/", "checker", json={})

    def admin(self) -> None:
        """By the admin, in a session: log in, find, look, reveal, decide, erase."""
        case = self.cases["url"]
        photographed = self.case(self.submit("002"))
        assert self.wait_for(photographed) == "in_review"
        browser = Browser(self.world.address)
        browser.open("/admin/login/", username="admin", password=f"{WORDS}-mistyped")
        browser.open("/admin/login/", username="admin", password=f"{PASSWORD}-admin")
        base = "/admin/django_faceverify/verification/"
        person = self.person()
        assert browser.open(base).ok
        assert browser.open(f"{base}find/", idcard_number=person["idcard_number"]).ok
        assert browser.open(f"{base}find/", idcard_number=f"{WORDS} {NAME}").ok
        for one in (case, photographed):
            page = browser.open(f"{base}{one}/change/")
            assert page.ok
            for address in set(re.findall(r'src="(/admin/[^"]+photo[^"]*)"', page.text)):
                assert browser.open(address).ok
            assert browser.open(f"{base}{one}/history/").status_code < 500
            revealed = browser.open(
                f"{base}{one}/reveal/", reason_code="complaint", note=f"{WORDS} {NAME} called"
            )
            assert NAME in revealed.text
            browser.open(f"{base}{one}/reveal/", reason_code="no", note=f"{WORDS} {NAME}")
        seen_at = re.search(r'name="seen_at"[^>]*value="([^"]+)"', page.text)
        assert seen_at is not None
        given = {"decision": "reject", "note": f"{WORDS} {NAME}", "seen_at": seen_at[1]}
        assert browser.open(f"{base}{photographed}/review/", **given).status_code == 200
        decided = browser.open(
            f"{base}{photographed}/review/", **given, reason_code="fraud_suspected"
        )
        assert decided.ok
        assert browser.open(f"{base}{case}/redact/").status_code in (200, 302, 405)

    def commands(self) -> None:
        """Each command once; the export itself is in clear, and goes outside."""
        person = self.person()
        fields = {**person, "consent": json.dumps(CONSENT)}
        for _ in range(2):
            answer = self.post("verifications/", data=fields, files={"image": ("me.jpg", SMALL)})
            self.wait_for(self.case(answer))
        number, manage = person["idcard_number"], self.world.manage
        export = self.world.outside / "export"
        ask = ("--idcard-number-file", "-")
        manage("faceverify_export_subject", *ask, "--output", str(export), given=number)
        text = (export / "subject.json").read_text("utf-8")
        assert person["idcard_name"] in text
        assert number in text
        manage(
            *("faceverify_export_subject", *ask, "--output", str(self.world.outside / "nobody")),
            given=self.person("047")["idcard_number"],
            codes=(3,),
        )
        manage("faceverify_erase_subject", *ask, "--yes", given=number)
        manage("faceverify_erase_subject", *ask, "--yes", given=NAME, codes=(2,))
        for command in (
            ("faceverify_sweep",),
            ("faceverify_purge",),
            ("faceverify_costs",),
            ("faceverify_metrics",),
            ("faceverify_census",),
            ("faceverify_audit", "root"),
            ("faceverify_audit", "verify"),
            ("faceverify_reconcile",),
        ):
            manage(*command, codes=(0, 1, 2))
        assert "intact" in manage("faceverify_audit", "verify")

    def endings(self) -> None:
        """Canceled, withdrawn, redacted by the person."""
        for ending in ("cancel", "consent/withdraw", "redact"):
            case = self.case(self.submit_json())
            assert self.post(f"verifications/{case}/{ending}/", json={}).ok


class Browser:
    """A session with cookies, which fills in the CSRF token of the page before."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.session = requests.Session()
        self.token = ""

    def open(self, path: str, **posted: str) -> requests.Response:
        """A GET, or a POST of a form when there are fields."""
        url = self.address + path
        if not posted:
            answer = self.session.get(url, timeout=60)
        else:
            self._take_token(self.session.get(f"{self.address}/admin/login/", timeout=60))
            fields = {**posted, "csrfmiddlewaretoken": self.token}
            answer = self.session.post(url, fields, headers={"Referer": url}, timeout=60)
        self._take_token(answer)
        return answer

    def _take_token(self, answer: requests.Response) -> None:
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', answer.text)
        self.token = found[1] if found else self.token


#: those that cover most, for the short form
FEW_ECHOES = ["message", "number as code", "session", "HTML"]
ALL_ECHOES = list(GARBAGE)
