"""Names and numbers of ID cards: what people type, made canonical or refused.

Everything that is sealed, indexed or sent to a provider has passed through
``normalize_name`` and ``normalize_number``; all other functions here expect their
results. Refusals are ``InputError`` and never repeat what was typed.
"""

from __future__ import annotations

import datetime
import re
import unicodedata
from zoneinfo import ZoneInfo

from django.views.decorators.debug import sensitive_variables
from stdnum import numdb
from stdnum.cn import ric

from django_faceverify.exceptions import InputError

NAME_MAX_LENGTH = 60
NUMBER_LENGTH = 18
EARLIEST_BIRTH = datetime.date(1900, 1, 1)
CHINA = ZoneInfo("Asia/Shanghai")

# Normalising costs time in proportion to the text, so absurd lengths are refused unread.
# The room above the real limits is for spaces and accents that normalising removes.
_TYPED_NAME_MAX_LENGTH = 4 * NAME_MAX_LENGTH
_TYPED_NUMBER_MAX_LENGTH = 4 * NUMBER_LENGTH

_HAN = (
    "\u3007"  # 〇, used in names as a character
    "\u3400-\u4dbf\u4e00-\u9fff"
    # twelve ideographs that stand in the compatibility block but have no other home
    "\ufa0e\ufa0f\ufa11\ufa13\ufa14\ufa1f\ufa21\ufa23\ufa24\ufa27-\ufa29"
    "\U00020000-\U0002a6df\U0002a700-\U0002ee5d\U00030000-\U00033479"
)
_LATIN = "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u01bf\u01c4-\u024f\u1e00-\u1eff"
_NAME = re.compile(f"[{_HAN}{_LATIN}]+(?:[ ·'-][{_HAN}{_LATIN}]+)*")

_SPACES = re.compile("[ \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+")
_SPACES_AROUND_DOT = re.compile(" ?· ?")
_SPACE_BETWEEN_HAN = re.compile(f"(?<=[{_HAN}]) (?=[{_HAN}])")
_SAME_MARK = str.maketrans(
    {
        **dict.fromkeys("\u2022\u2027\u2219\u22c5\u2e31\u30fb\uff0e\uff65", "·"),
        **dict.fromkeys("\u2018\u2019\u02bc", "'"),
        **dict.fromkeys("\u2010\u2011", "-"),
    }
)

_NUMBER = re.compile("[0-9]{17}[0-9X]")
_NUMBER_SEPARATORS = re.compile(r"[\s-]+")

# the residence permit of people from Taiwan, which no list of regions has
_TAIWAN_PERMIT = "830000"


@sensitive_variables()
def normalize_name(text: object) -> str:
    """Return the name as registers write it: 1 to 60 characters, one way to write each.

    Kept are Chinese ideographs, Latin letters and, between them, one middle dot, space,
    apostrophe or hyphen. The many dots that keyboards offer become ``·``; runs of spaces
    become one, and none is left around a dot or between two ideographs. The text is
    composed (NFC) but not folded further: folding (NFKC) would let symbols such as ``㊣``
    pass as characters.

    Raises ``InputError`` on ``idcard_name``: ``required``, ``idcard_name_length`` or
    ``idcard_name_characters`` (also for anything that is not a text).
    """
    if text is None:
        raise InputError("required", "idcard_name")
    if not isinstance(text, str):
        raise InputError("idcard_name_characters", "idcard_name")
    if len(text) > _TYPED_NAME_MAX_LENGTH:
        raise InputError("idcard_name_length", "idcard_name")
    name = _unify_marks_and_spaces(unicodedata.normalize("NFC", text))
    if not name:
        raise InputError("required", "idcard_name")
    if len(name) > NAME_MAX_LENGTH:
        raise InputError("idcard_name_length", "idcard_name")
    if not _NAME.fullmatch(name):
        raise InputError("idcard_name_characters", "idcard_name")
    return name


@sensitive_variables()
def normalize_number(text: object, *, is_live: bool) -> str:
    """Return the ID number as 17 digits and a digit or ``X``.

    Full-width digits, a small ``x``, spaces and hyphens are put right. The birth date
    must exist and lie between 1900 and today.

    A live level also wants a known region and the right check digit. Any other level
    wants a *wrong* check digit and does not look at the region: nobody holds such a
    number, so no real person is ever sent to a sandbox.

    Raises ``InputError`` on ``idcard_number``: ``required`` or ``idcard_number_`` with
    ``characters`` (also for anything that is not a text), ``length``, ``birth_date``,
    ``region``, ``check_digit`` (live) or ``real`` (not live).
    """
    number = parse_number(text)
    if not EARLIEST_BIRTH <= birth_date(number) <= _today():
        raise InputError("idcard_number_birth_date", "idcard_number")
    if is_live and not _is_region_known(number):
        raise InputError("idcard_number_region", "idcard_number")
    is_check_digit_right = number[-1] == ric.calc_check_digit(number)
    if is_live and not is_check_digit_right:
        raise InputError("idcard_number_check_digit", "idcard_number")
    if not is_live and is_check_digit_right:
        raise InputError("idcard_number_real", "idcard_number")
    return number


@sensitive_variables()
def birth_date(number: str) -> datetime.date:
    """Return the birth date that a normalized number tells.

    Raises ``InputError`` (``idcard_number_birth_date``) when the calendar has no such day.
    """
    try:
        return datetime.date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        raise InputError("idcard_number_birth_date", "idcard_number") from None


@sensitive_variables()
def age_on(number: str, day: datetime.date) -> int:
    """Return the age in full years on ``day``; who is born on 29 February ages on 1 March."""
    born = birth_date(number)
    is_birthday_ahead = (day.month, day.day) < (born.month, born.day)
    return day.year - born.year - is_birthday_ahead


@sensitive_variables()
def age(number: str) -> int:
    """Return the age in full years today, in China; the birthday counts as the older age."""
    return age_on(number, _today())


@sensitive_variables()
def mask_number(number: str) -> str:
    """Return the number with its first three and last four characters: ``110***********4477``."""
    return f"{number[:3]}{'*' * 11}{number[-4:]}"


@sensitive_variables()
def mask_name(name: str) -> str:
    """Return the first character and always two stars, so that the length stays hidden."""
    return f"{name[:1]}**"


@sensitive_variables()
def _unify_marks_and_spaces(text: str) -> str:
    name = _SPACES.sub(" ", text.translate(_SAME_MARK)).strip(" ")
    name = _SPACES_AROUND_DOT.sub("·", name)
    return _SPACE_BETWEEN_HAN.sub("", name)


@sensitive_variables()
def parse_number(text: object) -> str:
    """Return a number in its one spelling, well-formed but not otherwise judged.

    Enough to look for somebody. Raises ``InputError`` as ``normalize_number`` does for
    ``required``, ``characters`` and ``length``.
    """
    if text is None:
        raise InputError("required", "idcard_number")
    if not isinstance(text, str):
        raise InputError("idcard_number_characters", "idcard_number")
    if len(text) > _TYPED_NUMBER_MAX_LENGTH:
        raise InputError("idcard_number_length", "idcard_number")
    number = _NUMBER_SEPARATORS.sub("", unicodedata.normalize("NFKC", text)).replace("x", "X")
    if not number:
        raise InputError("required", "idcard_number")
    # characters before length: an unseen mark in a pasted number must not read as "too long"
    if number.strip("0123456789X"):
        raise InputError("idcard_number_characters", "idcard_number")
    if len(number) != NUMBER_LENGTH:
        raise InputError("idcard_number_length", "idcard_number")
    if not _NUMBER.fullmatch(number):
        raise InputError("idcard_number_characters", "idcard_number")
    return number


@sensitive_variables()
def _is_region_known(number: str) -> bool:
    # Only as far as the prefecture (four digits, listed with 00): no list of counties is
    # complete, and a person whose county has since been merged still holds the number.
    if number.startswith(_TAIWAN_PERMIT):
        return True
    _, region = numdb.get("cn/loc").info(number[:4] + "00")[-1]
    return "county" in region


def _today() -> datetime.date:
    """The day where these numbers are issued: ages are counted there, wherever a server runs."""
    return datetime.datetime.now(CHINA).date()
