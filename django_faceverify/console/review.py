"""The forms by which a reviewer decides a case: one for each decision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from django_faceverify import reviewing
from django_faceverify.exceptions import FaceVerifyError
from django_faceverify.inputs import MAX_NOTE
from django_faceverify.reasons import REASONS


@dataclass(frozen=True)
class Wording:
    button: str | Promise
    consequence: str | Promise
    #: the letter that chooses it on the keyboard
    key: str


WORDINGS: dict[str, Wording] = {
    "verify": Wording(
        _("Verify"), _("This is the holder of the ID number. The decision is final."), "v"
    ),
    "reject": Wording(
        _("Reject"), _("This is not the holder of the ID number. The decision is final."), "r"
    ),
    "retry": Wording(
        _("Ask again"), _("Nothing is decided; the person is asked for another photo."), "a"
    ),
}


class ReviewForm(forms.Form):
    """A decision needs a reason, and takes a note that only reviewers read.

    ``seen_at`` is when the case had last changed as the reviewer saw it.
    """

    reason_code = forms.ChoiceField(
        label=_("Reason"),
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Please choose a reason for this decision."),
            "invalid_choice": _("Please choose a reason for this decision."),
        },
    )
    note = forms.CharField(
        label=_("Note for reviewers"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "maxlength": MAX_NOTE}),
    )
    seen_at = forms.DateTimeField(
        error_messages={
            "required": _("This verification has changed since you opened it. Please look again."),
            "invalid": _("This verification has changed since you opened it. Please look again."),
        }
    )

    def __init__(self, decision: str, data: Any = None) -> None:
        super().__init__(data, auto_id=f"{decision}_%s")
        self.decision = decision
        self.wording = WORDINGS[decision]
        reason = self.fields["reason_code"]
        assert isinstance(reason, forms.ChoiceField)  # noqa: S101 (narrows the declared field)
        reason.choices = list(reviewing.reasons_for(decision).items())

    @sensitive_variables()
    def clean_note(self) -> str:
        note: str = self.cleaned_data["note"]
        return note.replace("\r\n", "\n")  # browsers send both, whatever was typed

    def add_refusal(self, error: FaceVerifyError) -> None:
        """Show what ``intake`` refused, at the field that it names."""
        field = getattr(error, "field", "")
        self.add_error(field if field in self.fields else None, sentence(error))


def sentence(error: FaceVerifyError) -> str:
    """What an error says to people."""
    reason = REASONS.get(error.code)
    return str(reason.message) if reason else error.code
