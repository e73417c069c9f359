"""What every provider over HTTP must do; the test class of a provider inherits it.

    class TestMyProvider(ProviderContract):
        def provider(self, endpoint, **options):
            return MyProvider("mine", **{"token": "canary-secret", "endpoint": endpoint, **options})

        def says(self, similarity, session_id=SESSION_ID):
            return json.dumps({"score": similarity, "id": session_id}).encode()

It says how the provider is built for an endpoint and how its service says a similarity, and
gets all the rest: success, every way in which a call can fail, answers that are malformed,
connections that are slow, dripping or cut, photos that are too large, options that are wrong.
"""

from __future__ import annotations

import gzip
import pickle
import re
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from django_faceverify.exceptions import (
    NotSent,
    OutcomeUnknown,
    ProtocolError,
    ProviderError,
    Refused,
    Throttled,
)
from django_faceverify.providers.base import Comparison, ComparisonRequest, Provider
from django_faceverify.providers.far import FarTable
from django_faceverify.providers.http import MAX_TIMEOUT, HTTPProvider
from django_faceverify.testing import stub
from django_faceverify.testing.stub import Stub

NAME = "欧阳·金丝雀"
NUMBER = "110101199003070000"
JPEG = b"\xff\xd8\xff\xe0canary-photo" + bytes(range(256))
PNG = b"\x89PNG\r\n\x1a\ncanary-photo"
SESSION_ID = "session-0001"
ADDRESS = "https://photos.example.com/canary-photo.jpg"

#: What must never be found in an error. Give your credentials the word ``canary-secret``.
CANARIES = (NAME, NUMBER, "canary-photo", "canary-secret")

#: what no service says, although it begins well or would be JSON to somebody
MALFORMED = {
    "empty": b"",
    "cut off": b'{"score": 9',
    "no JSON": b"score=95",
    "HTML": b"<html><body>500</body></html>",
    "null": b"null",
    "list": b"[95]",
    "number": b"95",
    "NaN": b'{"score": NaN, "similarity": Infinity}',
    "nested": b"[" * 100_000,
    "not UTF-8": b'{"\xff": 1}',
    "UTF-16": '{"score": 95}'.encode("utf-16"),
    "compressed": gzip.compress(b'{"score": 95}'),
    "NUL": b"\x00" * 1000,
}


def comparison_request(**changes: Any) -> ComparisonRequest:
    fields: dict[str, Any] = {
        "session_id": SESSION_ID,
        "idcard_name": NAME,
        "idcard_number": NUMBER,
        "image": JPEG,
    }
    return ComparisonRequest(**(fields | changes))


class Witness:
    """An ``about_to_send`` that counts, and may object."""

    def __init__(self, objection: BaseException | None = None) -> None:
        self.count = 0
        self.objection = objection

    def __call__(self) -> None:
        self.count += 1
        if self.objection is not None:
            raise self.objection


def everything_in(error: BaseException) -> Iterator[str]:
    """All that an error carries besides its traceback, and all errors that hang on it."""
    pending: list[BaseException | None] = [error]
    while pending:
        one = pending.pop()
        if one is None:
            continue
        yield from (repr(one), str(one), repr(one.args), repr(vars(one)))
        pending += [one.__cause__, one.__context__]


class ProviderContract:
    #: whether the service gives our session id back, so that an answer to another call shows
    echoes_session_id: ClassVar[bool] = True

    def provider(self, endpoint: str, **options: Any) -> HTTPProvider:
        raise NotImplementedError

    def says(self, similarity: object, session_id: str = SESSION_ID) -> bytes:
        """The body in which the service says this similarity."""
        raise NotImplementedError

    def call(
        self,
        *script: stub.Behaviour,
        witness: Witness | None = None,
        request: ComparisonRequest | None = None,
        **options: Any,
    ) -> Comparison:
        with Stub(*script) as server:
            return self.provider(server.url, **options).compare(
                request or comparison_request(), about_to_send=witness or Witness()
            )

    def test_similarity_comes_back(self) -> None:
        answer = self.call(stub.answer(self.says(72.5)))
        assert answer.similarity == 72.5
        assert answer.reason_code == ""
        assert answer.is_billed == "yes"
        assert answer.http_status == 200

    def test_good_options_pass_the_system_checks(self) -> None:
        assert list(self.provider("https://example.com/").check()) == []

    def test_repr_hides_the_credentials(self) -> None:
        shown = repr(self.provider("https://example.com/"))
        assert not [canary for canary in CANARIES if canary in shown]

    def test_largest_photo_fits_the_body(self) -> None:
        provider = self.provider("https://example.com/")
        image = JPEG.ljust(provider.max_image_bytes, b"\x00")
        prepared = provider.prepare(comparison_request(image=image, idcard_name="名" * 60))
        assert len(prepared.body or b"") <= provider.max_body_bytes

    def test_photo_travels_as_the_class_says(self) -> None:
        provider = self.provider("https://example.com/")
        if not provider.takes_bytes:
            pytest.skip("the service takes no photos as bytes")
        body = provider.prepare(comparison_request()).body or b""
        sent = body if isinstance(body, bytes) else body.encode()
        assert (JPEG in sent) is not provider.sends_base64, "sends_base64 says something else"

    def test_address_is_sent_or_refused_as_the_class_says(self) -> None:
        provider = self.provider("https://example.com/")
        request = comparison_request(image=None, url=ADDRESS)
        if provider.takes_url:
            assert ADDRESS.rpartition("/")[2] in str(provider.prepare(request).body)
            return
        with pytest.raises(NotSent) as caught:
            provider.compare(request, about_to_send=Witness())
        assert caught.value.code == "image_undecodable"

    def test_what_the_class_says_of_itself_holds_together(self) -> None:
        provider = self.provider("https://example.com/")
        assert provider.takes_bytes or provider.takes_url
        assert 0 <= provider.lowest_threshold <= 100
        assert 0 < provider.timeout <= MAX_TIMEOUT
        assert provider.far_table is None or isinstance(provider.far_table, FarTable)
        if provider.operator is not None:
            assert provider.operator.name
            assert re.fullmatch("[A-Z]{2}", provider.operator.country)
        can_find = type(provider).find is not Provider.find
        assert can_find is provider.can_be_asked, "find and can_be_asked belong together"

    def test_caller_is_told_once_and_before_the_first_byte(self) -> None:
        seen: list[int] = []
        with Stub(stub.answer(self.says(90))) as server:
            self.provider(server.url).compare(
                comparison_request(),
                about_to_send=lambda: seen.append(sum(map(len, server.received))),
            )
        assert seen == [0]

    @pytest.mark.parametrize(
        "objection",
        [ValueError("no"), BrokenPipeError("database"), ConnectionResetError(), SystemExit(3)],
        ids=lambda objection: type(objection).__name__,
    )
    def test_objection_passes_unchanged_and_nothing_is_sent(self, objection: Any) -> None:
        witness = Witness(objection)
        with Stub(stub.answer(self.says(90))) as server, pytest.raises(type(objection)) as caught:
            self.provider(server.url).compare(comparison_request(), about_to_send=witness)
        assert caught.value is objection
        assert objection.__context__ is None
        assert objection.__cause__ is None
        assert witness.count == 1
        assert b"".join(server.received) == b""

    def test_no_connection_is_not_sent(self) -> None:
        witness = Witness()
        provider = self.provider(f"http://127.0.0.1:{stub.refused_port()}/")
        with pytest.raises(NotSent) as caught:
            provider.compare(comparison_request(), about_to_send=witness)
        assert caught.value.code == "provider_unavailable"
        assert witness.count == 0

    @pytest.mark.parametrize(
        "behaviour",
        [stub.close_without_answer, stub.reset, stub.never_answer, stub.drip_headers()],
        ids=["closed", "reset", "silent", "dripping"],
    )
    def test_no_answer_is_an_unknown_outcome(self, behaviour: stub.Behaviour) -> None:
        witness = Witness()
        with pytest.raises(OutcomeUnknown) as caught:
            self.call(behaviour, witness=witness, timeout=0.5)
        assert not isinstance(caught.value, ProtocolError)
        assert caught.value.code == "outcome_unknown"
        assert witness.count == 1

    @pytest.mark.parametrize(
        ("status", "kind", "code"),
        [
            (200, ProtocolError, "provider_protocol"),
            (204, ProtocolError, "provider_protocol"),
            (302, Refused, "provider_config"),
            (307, Refused, "provider_config"),
            (400, Refused, "provider_config"),
            (401, Refused, "provider_config"),
            (402, Refused, "provider_arrears"),
            (403, Refused, "provider_config"),
            (404, Refused, "provider_config"),
            (408, Refused, "provider_unavailable"),
            (413, Refused, "provider_config"),
            (429, Throttled, "provider_throttled"),
            (500, OutcomeUnknown, "outcome_unknown"),
            (502, OutcomeUnknown, "outcome_unknown"),
            (503, OutcomeUnknown, "outcome_unknown"),
        ],
    )
    def test_without_a_code_the_status_decides(
        self, status: int, kind: type[ProviderError], code: str
    ) -> None:
        headers = {"Retry-After": "7", "Location": "https://example.com/"}
        body = b"" if status == 204 else b"<html>not the contract</html>"
        with pytest.raises(kind) as caught:
            self.call(stub.answer(body, status=status, headers=headers))
        assert type(caught.value) is kind
        assert caught.value.code == code
        assert caught.value.http_status == status
        assert caught.value.retry_after == 7

    @pytest.mark.parametrize(
        "similarity",
        [-0.01, 100.01, "90", None, True, [], {}, 1e308, -1, 10**30],
        ids=repr,
    )
    def test_similarity_outside_the_contract_is_a_protocol_error(self, similarity: object) -> None:
        with pytest.raises(ProtocolError):
            self.call(stub.answer(self.says(similarity)))

    @pytest.mark.parametrize("similarity", [0, 0.0, 100, 100.0, 69.999999])
    def test_similarity_at_the_ends_of_the_scale(self, similarity: float) -> None:
        answer = self.call(stub.answer(self.says(similarity)))
        assert answer.similarity == similarity
        assert isinstance(answer.similarity, float)

    @pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
    def test_malformed_answer_is_a_protocol_error(self, body: bytes) -> None:
        with pytest.raises(ProtocolError) as caught:
            self.call(stub.answer(body))
        assert caught.value.code == "provider_protocol"
        assert caught.value.is_billed == "unknown"

    def test_answer_to_another_call_is_a_protocol_error(self) -> None:
        if not self.echoes_session_id:
            pytest.skip("the service does not give our session id back")
        with pytest.raises(ProtocolError):
            self.call(stub.answer(self.says(90, session_id="somebody-else")))

    @pytest.mark.parametrize("image", [None, b"", b"GIF89a...", b"BM", b"\xff\xd8", b"%PDF-1.7"])
    def test_photo_that_is_none_is_not_sent(self, image: bytes | None) -> None:
        witness = Witness()
        with pytest.raises(NotSent) as caught:
            self.provider("http://127.0.0.1:9/").compare(
                comparison_request(image=image), about_to_send=witness
            )
        assert caught.value.code == "image_undecodable"
        assert witness.count == 0

    def test_body_above_the_limit_is_not_sent(self) -> None:
        provider = self.provider("http://127.0.0.1:9/")
        image = JPEG.ljust(provider.max_body_bytes, b"\x00")
        with pytest.raises(NotSent) as caught:
            provider.compare(comparison_request(image=image), about_to_send=Witness())
        assert caught.value.code == "image_too_large"

    @pytest.mark.parametrize(
        ("endpoint", "options"),
        [
            ("http://example.com/", {}),
            ("http://192.168.1.7/", {}),
            ("https://user:word@example.com/", {}),
            ("https://example.com/", {"timeout": 0}),
            ("https://example.com/", {"ca_bundle": "/does/not/exist.pem"}),
        ],
    )
    def test_wrong_options_are_never_used(self, endpoint: str, options: dict[str, Any]) -> None:
        witness = Witness()
        with pytest.raises(NotSent) as caught:
            self.provider(endpoint, **options).compare(comparison_request(), about_to_send=witness)
        assert caught.value.code == "provider_config"
        assert witness.count == 0

    @pytest.mark.parametrize(
        "provoke",
        [
            stub.answer(f"{NAME} {NUMBER} canary-secret-key".encode()),
            stub.answer(f"{NAME} {NUMBER}".encode(), status=500),
            stub.answer(f"{NAME} {NUMBER}".encode(), status=403),
            stub.answer(b"", status=429),
            stub.answer(b"x" * (1024 * 1024 + 1)),
            stub.close_without_answer,
            stub.reset,
        ],
    )
    def test_errors_pickle_and_hold_nothing_personal(self, provoke: stub.Behaviour) -> None:
        with pytest.raises(ProviderError) as caught:
            self.call(provoke, timeout=5)
        error = caught.value
        assert error.__context__ is None
        assert error.__cause__ is None
        copy = pickle.loads(pickle.dumps(error))
        assert (type(copy), copy.args, vars(copy)) == (type(error), error.args, vars(error))
        shown = " ".join(everything_in(error)) + repr(pickle.dumps(error))
        assert not [canary for canary in CANARIES if canary in shown]

    def test_request_that_cannot_be_encoded_is_not_sent(self) -> None:
        with pytest.raises(NotSent) as caught:
            self.provider("http://127.0.0.1:9/").compare(
                comparison_request(idcard_name=f"\ud800{NUMBER}"), about_to_send=Witness()
            )
        assert NUMBER not in " ".join(everything_in(caught.value))
