"""How meaning travels: frozen dataclasses to and from plain data, in one place.

Decimals become strings, times ISO 8601 in UTC, enums their values; reading back restores the types or names the field.
"""

from collections.abc import Mapping
from typing import Any, Self

import msgspec

from engine.domain.errors import InvalidValueError


class Payload:
    """Mixin of every dataclass that is journalled, stored or sent."""

    __slots__ = ()

    def to_data(self) -> dict[str, Any]:
        """Return the plain form of this payload, ready for JSON."""
        data: dict[str, Any] = msgspec.to_builtins(self)
        return data

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Return the payload that `data` describes.

        Raises
        ------
        InvalidValueError
            A field is missing or of the wrong kind; the message names it.
        """
        try:
            return msgspec.convert(data, cls, strict=False)
        except msgspec.ValidationError as error:
            raise InvalidValueError(
                f"{cls.__name__} must match its fields, was not: {error}; correct the field named"
            ) from error

    def to_json(self) -> bytes:
        """Return the canonical JSON form: keys sorted, NaN as null."""
        return encode(self)

    @classmethod
    def from_json(cls, raw: bytes) -> Self:
        """Return the payload that canonical JSON describes."""
        return cls.from_data(decode(raw))


_ENCODER = msgspec.json.Encoder(order="deterministic")


def encode(value: object) -> bytes:
    """Return canonical JSON of plain data or payloads (sorted keys, NaN as null)."""
    return _ENCODER.encode(value)


def decode(raw: bytes) -> Any:  # noqa: ANN401 -- JSON has no narrower type
    """Return the plain data of a JSON text."""
    return msgspec.json.decode(raw)
