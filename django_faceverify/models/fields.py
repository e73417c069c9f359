"""A column whose attribute never gives plaintext."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

from django.core.exceptions import FieldError
from django.db import models
from django.db.models.lookups import Exact, IsNull
from django.views.decorators.debug import sensitive_variables

from django_faceverify import sealing


class Sealed:
    """A sealed token as it stands in the column."""

    __slots__ = ("token",)

    def __init__(self, token: str) -> None:
        self.token = token

    def __repr__(self) -> str:
        return "<sealed>"

    __str__ = __repr__


class SameToken(Exact):
    """Whether a column still holds a token as it was read: for a compare-and-swap."""

    def get_prep_lookup(self) -> Any:
        if not isinstance(self.rhs, Sealed):
            raise FieldError("A sealed column cannot be compared with plaintext.")
        return super().get_prep_lookup()


class SealedValue:
    """What reading a sealed attribute gives: prints as a mask, opens only on purpose.

    ``reveal(actor, reason)`` writes an Event in the same transaction as the look.
    """

    __slots__ = ("_field", "_instance")

    def __init__(self, field: SealedTextField, instance: models.Model) -> None:
        self._field = field
        self._instance = instance

    def __repr__(self) -> str:
        return "<sealed>"

    def __str__(self) -> str:
        mask = self._field.mask_field
        return getattr(self._instance, mask) if mask else "<sealed>"

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = object.__hash__

    def __reduce__(self) -> NoReturn:
        raise TypeError("a sealed value cannot be pickled")

    def reveal(self, actor: str, reason: str) -> str:
        """The plaintext, for ``actor``; recorded with ``reason``, which must not be empty.

        Raises ``SealBroken`` when the column was changed or moved.
        """
        if not reason.strip():
            raise ValueError("a reveal needs a reason")
        self._instance.record_reveal(  # type: ignore[attr-defined]  # models with sealed columns have it
            self._field.name, actor=actor, reason=reason
        )
        return self.unseal()

    def held_for(self, instance: models.Model) -> Any:
        """What another object of the same row may take over; other rows cannot open it."""
        if instance.pk != self._instance.pk:
            raise FieldError(f"{self._field.name} is sealed for another row.")
        return self._instance.__dict__[self._field.attname]

    def unseal(self) -> str:
        """The plaintext without a record of its own.

        For the call to the provider, where the attempt row is the record, and for a
        reviewer's note, which is not about identity. Everything else is ``reveal``.
        """
        return sealing.unseal_text(self.sealed().token, context=self._field.context(self._instance))

    def sealed(self) -> Sealed:
        """The token for the column."""
        return self._field.seal(self._instance)


class SealedAttribute:
    """Wraps what is read, so that ``getattr``, ``repr`` and serializers see no plaintext."""

    def __init__(self, field: SealedTextField) -> None:
        self.field = field

    def __get__(self, instance: models.Model | None, owner: type | None = None) -> Any:
        if instance is None:
            return self
        if self.field.attname not in instance.__dict__:
            instance.refresh_from_db(fields=[self.field.attname])
        held = instance.__dict__[self.field.attname]
        if held in (None, ""):
            return held
        return SealedValue(self.field, instance)

    @sensitive_variables()
    def __set__(self, instance: models.Model, value: Any) -> None:
        if isinstance(value, str) and value:
            value = _Unsealed(value)
        elif isinstance(value, SealedValue):
            value = value.held_for(instance)
        instance.__dict__[self.field.attname] = value


class _Unsealed:
    """Plaintext between assignment and ``save``."""

    __slots__ = ("_plaintext",)

    @sensitive_variables()
    def __init__(self, plaintext: str) -> None:
        self._plaintext = plaintext

    def __repr__(self) -> str:
        return "<sealed>"

    __str__ = __repr__

    def __reduce__(self) -> NoReturn:
        raise TypeError("plaintext cannot be pickled")

    @sensitive_variables()
    def take(self) -> str:
        return self._plaintext


class SealedTextField(models.TextField):  # type: ignore[type-arg]  # the stubs' parameters are not in Django
    """A text that is sealed on its way to the database, bound to model, column and row.

    Assign plaintext, save, and read a ``SealedValue``. Filtering, updating or comparing by
    plaintext raises ``FieldError``. ``mask_field`` names a column with a printable mask, and
    ``index_field`` one with the blind index, which changes with the key.
    """

    def __init__(
        self, *args: Any, mask_field: str = "", index_field: str = "", **kwargs: Any
    ) -> None:
        self.mask_field = mask_field
        self.index_field = index_field  # nothing that a migration has to know
        kwargs["editable"] = False
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("editable", None)
        if self.mask_field:
            kwargs["mask_field"] = self.mask_field
        return name, path, args, kwargs

    def contribute_to_class(
        self, cls: type[models.Model], name: str, private_only: bool = False
    ) -> None:
        super().contribute_to_class(cls, name, private_only)
        setattr(cls, self.attname, SealedAttribute(self))

    def context(self, instance: models.Model) -> str:
        return self.context_of(instance.pk)

    def context_of(self, pk: Any) -> str:
        """What a token of the row with that key is bound to."""
        return f"{self.model._meta.label_lower}|{self.column}|{pk}"

    @sensitive_variables()
    def seal(self, instance: models.Model) -> Sealed:
        """Seal what was assigned; afterwards the instance holds no plaintext."""
        held = instance.__dict__[self.attname]
        if isinstance(held, _Unsealed):
            held = Sealed(sealing.seal_text(held.take(), context=self.context(instance)))
            instance.__dict__[self.attname] = held
        assert isinstance(held, Sealed)  # noqa: S101 (narrows the type; assignment made it so)
        return held

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        if model_instance.__dict__.get(self.attname) in (None, ""):
            return None if self.null else ""
        return self.seal(model_instance)

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Any:
        return Sealed(value) if value else value

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str) and value.startswith("fv1."):
            return Sealed(value)
        return value

    def value_to_string(self, obj: models.Model) -> str:
        held = self.pre_save(obj, add=False)
        return held.token if isinstance(held, Sealed) else ""

    def get_prep_value(self, value: Any) -> Any:
        if isinstance(value, Sealed):
            return value.token
        if isinstance(value, SealedValue):  # a raw save, as loaddata makes it
            return value.sealed().token
        if value in (None, ""):
            return value
        raise FieldError(f"{self.name} is sealed and cannot be compared or set by plaintext.")

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name == "isnull":
            return IsNull
        if lookup_name == "exact":
            return SameToken
        raise FieldError(f"{self.name} is sealed; look it up by its blind index.")


class CodeField(models.CharField):  # type: ignore[type-arg]  # generic in the stubs only
    """A code of a list that grows with the app.

    The list stays out of the migrations: a new code changes no column, so no site has to
    migrate for it.
    """

    def deconstruct(self) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
        name, _, args, kwargs = super().deconstruct()
        kwargs.pop("choices", None)
        return name, "django.db.models.CharField", args, kwargs


def emptied(model: type[models.Model]) -> dict[str, str | None]:
    """Every sealed column of a model with what it holds once its data is destroyed."""
    return {
        field.attname: None if field.null else ""
        for field in model._meta.concrete_fields
        if isinstance(field, SealedTextField)
    }
