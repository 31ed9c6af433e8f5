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
    """Return canonical JSON of plain data or payloads (sorted keys, NaN as null).

    Half a character, as names of files may hold, is no text: it is written as U+FFFD.
    """
    try:
        return _ENCODER.encode(value)
    except UnicodeEncodeError:
        return _ENCODER.encode(whole_text(msgspec.to_builtins(value)))


def whole_text(value: Any) -> Any:  # noqa: ANN401 -- JSON-like
    r"""Return plain data with half characters replaced in every text.

    Examples
    --------
    >>> whole_text({"caf\udce9": ["a", 1]})
    {'caf\ufffd': ['a', 1]}
    """
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {whole_text(key): whole_text(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [whole_text(each) for each in value]
    return value


def decode(raw: bytes) -> Any:  # noqa: ANN401 -- JSON has no narrower type
    """Return the plain data of a JSON text."""
    return msgspec.json.decode(raw)
