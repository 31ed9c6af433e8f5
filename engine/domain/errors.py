"""The one tree of errors; each message names the value, the rule and the remedy.

A refused order or command is an event, not an exception: these are for callers' mistakes and broken surroundings.
"""

import math
from typing import TypeGuard


class PilothouseError(Exception):
    """Base of every error that this program raises on purpose."""


class InvalidValueError(PilothouseError, ValueError):
    """A value breaks its rule: ``<name> must <rule>, was <value>; <remedy>``."""


class UnknownNameError(PilothouseError, ValueError):
    """A name (symbol, agent, strategy, section, question, command) is not known here."""


class ConfigurationError(InvalidValueError):
    """A setting in the environment or a configuration file is unusable."""


class NotEnoughDataError(PilothouseError, ValueError):
    """A statistic needs more observations than it was given."""


class FeedError(PilothouseError):
    """A feed cannot deliver what was asked of it."""


class JournalError(PilothouseError):
    """The journal cannot be read or written."""


class JournalDamagedError(JournalError):
    """The journal file is corrupt; it is never replaced in silence."""


class JournalVersionError(JournalError):
    """The journal was written by a newer program than this one."""


class StoreError(PilothouseError):
    """The shared store cannot be opened or holds what it must not hold."""


class OwnershipLostError(PilothouseError):
    """Another process owns the engine now; this one may not write."""


class TaskStuckError(PilothouseError):
    """A task past its limit ignored every cancellation; it was left behind and its agent taken out of service."""


class BrokerError(PilothouseError):
    """A broker could not be asked; nothing is known to have happened."""


class EngineAbsentError(PilothouseError):
    """No engine has answered yet, so nothing is known of what was asked."""


class ApiUnavailableError(PilothouseError):
    """An outside API may not be called now; nothing was sent.

    Parameters
    ----------
    api : str
        Its name in the pool.
    reason : str
        Why its circuit breaker is open.
    next_try_in_s : float
        Seconds until it may be tried; 0 while a trial call is under way.
    """

    def __init__(self, api: str, reason: str, next_try_in_s: float) -> None:
        self.api = api
        self.reason = reason
        self.next_try_in_s = next_try_in_s
        when = f"in {math.ceil(next_try_in_s)} s" if next_try_in_s > 0 else "after its trial call"
        super().__init__(f"API {api!r} must be available, was not: {reason}; try again {when}")


def is_number(value: object) -> TypeGuard[float]:
    """Return whether a value is a number that can be compared: neither NaN nor a truth value.

    Examples
    --------
    >>> [is_number(value) for value in (0.5, 3, math.inf, math.nan, True, "3", None)]
    [True, True, True, False, False, False, False]
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return not math.isnan(value)


def must(name: str, rule: str, value: object, remedy: str) -> InvalidValueError:
    """Return the error for a broken rule, in the house's one wording."""
    return InvalidValueError(f"{name} must {rule}, was {value!r}; {remedy}")
