"""What can be set on a strategy: one description serves its form on screen, its defaults and its error messages."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from engine.domain.errors import UnknownNameError, must

Value = bool | int | float | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter of a strategy.

    Parameters
    ----------
    name : str
        Key in the configuration.
    kind : type
        bool, int, float or str.
    minimum, maximum : float, optional
        Bounds, both allowed; None for bool and str.
    title, description : str
        For the form: a label with its unit, and what the value does.
    aliases : tuple of str
        Other keys that mean the same; `name` wins where both are given.
    """

    name: str
    kind: type[bool] | type[int] | type[float] | type[str]
    default: Value
    title: str
    description: str = ""
    minimum: float | None = None
    maximum: float | None = None
    aliases: tuple[str, ...] = ()

    def read(self, config: Mapping[str, object]) -> Value:
        """Return this parameter's value in `config`, or its default.

        Raises
        ------
        InvalidValueError
            The value is of another kind or out of bounds; the message names the key as it was written.
        """
        key = next((k for k in (self.name, *self.aliases) if k in config), None)
        return self.default if key is None else self._checked(key, config[key])

    def _checked(self, key: str, value: object) -> Value:
        if self.kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if type(value) is not self.kind:
            raise must(key, f"be of kind {self.kind.__name__}", value, "correct the configuration")
        if isinstance(value, float) and not math.isfinite(value):
            raise must(key, "be finite", value, "correct the configuration")
        if isinstance(value, int | float) and not self._is_inside(value):
            bounds = f"lie between {self.minimum} and {self.maximum}"
            raise must(key, bounds, value, "correct the configuration")
        result: Value = value
        return result

    def _is_inside(self, value: float) -> bool:
        low = -math.inf if self.minimum is None else self.minimum
        high = math.inf if self.maximum is None else self.maximum
        return low <= value <= high


def read_all(schema: tuple[Parameter, ...], config: Mapping[str, object]) -> dict[str, Value]:
    """Return every parameter's value, by name, in the schema's order."""
    return {parameter.name: parameter.read(config) for parameter in schema}


def refuse_unknown(owner: str, schema: tuple[Parameter, ...], config: Mapping[str, object]) -> None:
    """Raise UnknownNameError where `config` has a key that no parameter answers to: a typing error must not pass."""
    known = {key for p in schema for key in (p.name, *p.aliases)}
    unknown = sorted(set(config) - known)
    if unknown:
        raise UnknownNameError(
            f"parameters of {owner} must be among {', '.join(sorted(known))}, was {', '.join(unknown)}; "
            "correct the name"
        )
