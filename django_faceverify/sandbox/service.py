"""The service behind ``POST /face/idcardcompare``: bytes in, an answer out, no sockets."""

from __future__ import annotations

from dataclasses import dataclass, field

from .answer import Answer
from .bill import Bill
from .calls import Calls
from .codes import Code, Refusal
from .form import Form, parse_form
from .rules import check_fields, read_image
from .scenarios import ScenarioChooser
from .signature import SignatureVerifier


@dataclass(frozen=True)
class Call:
    """One request as it came in."""

    content_type: str
    authorization: str = field(repr=False)
    body: bytes = field(repr=False)


class ComparisonService:
    """Checks a call in the provider's order, plays its scenario, and charges for the work."""

    def __init__(
        self, verifier: SignatureVerifier, bill: Bill, chooser: ScenarioChooser | None = None
    ) -> None:
        self._verifier = verifier
        self._bill = bill
        self._chooser = chooser or ScenarioChooser()
        self._calls = Calls()

    @property
    def calls(self) -> dict[str, int]:
        """How often each session_id came with a call that passed every check."""
        return self._calls.counts()

    def answer(self, call: Call) -> Answer:
        session_id = ""
        try:
            form = parse_form(call.content_type, call.body)
            session_id = form.session_id
            self._check_caller(call.authorization, form.appid)
            check_fields(form)
        except Refusal as refusal:
            return Answer.refused(refusal.code, session_id)
        self._calls.add(session_id)
        return self._compare(form)

    def _check_caller(self, authorization: str, appid: str) -> None:
        token = self._verifier.verify(authorization)
        if token.appid != appid:
            raise Refusal(Code.APPID_NOT_SIGNED)

    def _compare(self, form: Form) -> Answer:
        image = b"" if form.url else read_image(form.image)
        scenario = self._chooser.choose(form.idcard_number, form.idcard_name, image)
        answer = Answer(
            code=scenario.code,
            message=scenario.message,
            session_id=form.session_id,
            similarity=scenario.similarity,
            scenario=scenario.name,
            delivery=scenario.delivery,
        )
        if scenario.is_billed:
            self._bill.charge(answer)
        return answer
