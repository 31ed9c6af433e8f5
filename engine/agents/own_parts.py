"""What an agent of one's own gets in place of everybody's bus and shared memory: the same, within bounds.

It hears and reads everything, as copies of its own, and says and keeps what is its own. Prices, forecasts, risk
figures, orders and agents' states are facts, each told by one agent that answers for it: a second author would make all
that follows from them go wrong.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import wraps
from typing import Any, TypeVar, cast

from engine.agents.execution_inputs import signal_of
from engine.agents.quota import ALERTS_PER_S, Quota
from engine.core.event_bus import EventBus, Handler, is_async
from engine.core.state_manager import StateManager
from engine.domain.errors import must
from engine.domain.events import OPEN_TYPES, Event, EventType
from engine.domain.payload import decode, encode, whole_text
from engine.domain.risk import Alert
from engine.ports.clock import Clock

MAX_BYTES = 65_536
"""Largest event or value, as JSON."""
MAX_KEY = 128
"""Longest key."""
MAX_TEXT = 300
"""Longest title and message of an alert."""
MAX_CAUSE = 2**53
MAX_KEYS = 500
"""Keys that an agent of one's own may keep in the shared memory."""
TAKEN = ("price:", "history:", "bars:", "mc:", "risk:", "sentiment:")
"""How keys of the shared memory begin that built-in agents write and read."""

T = TypeVar("T")


class OwnBus:
    """An event bus as an agent of one's own has it.

    Parameters
    ----------
    bus : EventBus
        The bus of everybody.
    agent_id : str
        Who speaks: events carry it as their source, whatever they said.
    quota : Quota
        What is published, by whichever way, counts against it.
    clock : Clock
        Gives a signal without a time its time.
    """

    def __init__(self, bus: EventBus, agent_id: str, quota: Quota, clock: Clock) -> None:
        self._bus = bus
        self._agent_id = agent_id
        self._quota = quota
        self._clock = clock
        self._alerts = Quota(clock, ALERTS_PER_S)
        self.is_deaf: Callable[[], bool] = bool
        """Whether the agent hears nothing at present: who is not in service has no handlers either."""
        self._hearing: dict[Handler, tuple[Handler, set[EventType]]] = {}

    @property
    def unmetered(self) -> EventBus:
        """The bus itself: for what is said on the agent's behalf."""
        return self._bus

    def subscribe(self, event_type: EventType, handler: Handler) -> None:
        """Let `handler` have a copy of every event of this type."""
        if handler not in self._hearing:
            self._hearing[handler] = (self._with_a_copy(handler), set())
        hearing, topics = self._hearing[handler]
        topics.add(event_type)
        self._bus.subscribe(event_type, hearing)

    def unsubscribe(self, event_type: EventType, handler: Handler) -> None:
        """Stop delivering; harmless for a pair that is not subscribed."""
        hearing, topics = self._hearing.get(handler, (handler, set()))
        self._bus.unsubscribe(event_type, hearing)
        topics.discard(event_type)
        if not topics:
            self._hearing.pop(handler, None)

    async def publish(self, event: Event) -> Event:
        """Publish as `EventBus.publish` does; an event beyond the quota comes back as it is (`seq` 0), after a wait.

        Who says ever more without a pause is held to the quota's pace: it may not take the loop from the others.

        Raises
        ------
        InvalidValueError
            It is not this agent's to say, is malformed or too large.
        """
        said = self._own(event)
        if said is not None:
            return await self._bus.publish(said)
        await self._quota.wait()
        return event

    def post(self, event: Event) -> None:
        """Queue as `EventBus.post` does; an event beyond the quota is dropped.

        Raises
        ------
        InvalidValueError
            As `publish`.
        """
        said = self._own(event)
        if said is not None:
            self._bus.post(said)

    def _with_a_copy(self, handler: Handler) -> Handler:
        """Return a handler that gets a copy of each event: what it changes there reaches nobody else."""

        async def hears(event: Event) -> object:
            return None if self.is_deaf() else await cast(Awaitable[object], handler(_copy(event)))

        def hears_inline(event: Event) -> object:
            return None if self.is_deaf() else handler(_copy(event))

        heard: Handler = wraps(handler)(hears if is_async(handler) else hears_inline)
        vars(heard)["agent_id"] = self._agent_id  # by which its failures are counted
        return heard

    def rates(self) -> dict[str, float]:
        """Return events per second by type."""
        return self._bus.rates()

    def _own(self, event: Event) -> Event | None:
        """Return the event as it is published, None when it is beyond the quota."""
        self._check(event)
        is_alert = event.event_type is EventType.RISK_ALERT
        raw = _encoded("event data", self._signed_alert(event.data) if is_alert else event.data)
        if is_alert and not self._alerts.admits():
            self._quota.dropped += 1
            return None
        if not self._quota.admits(len(raw)):
            return None
        return Event(
            event.event_type,
            decode(raw),
            source=self._agent_id,
            as_of=event.as_of,
            cause=event.cause,
        )

    def _signed_alert(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return an alert with its author in id and title: it can't be taken for the engine's, nor answer for one."""
        signature = f"{self._agent_id}: "
        signed = {
            name: f"{signature}{str(data[name]).removeprefix(signature)}"
            for name in ("alert_id", "title")
        }
        return {**data, **signed}

    def _check(self, event: Event) -> None:
        kind, as_of, cause = event.event_type, event.as_of, event.cause
        if not (as_of is None or (type(as_of) is datetime and as_of.tzinfo is not None)):
            raise must(
                "as_of", "be a datetime with a time zone, or None", as_of, "pass event.as_of on"
            )
        if cause is not None and not (type(cause) is int and 0 < cause < MAX_CAUSE):
            raise must("cause", "be the seq of an event, or None", cause, "pass event.seq on")
        if kind not in OPEN_TYPES:
            raise must(
                "event_type", f"be one of {', '.join(each.value for each in OPEN_TYPES)}", kind.value,
                "an agent of one's own tells no facts of the engine; say it as CUSTOM",
            )  # fmt: skip
        try:
            if kind is EventType.RISK_ALERT:
                _check_alert(Alert.from_data(event.data))
            if kind is EventType.SIGNAL_GENERATED:
                signal_of(event, self._clock.now())
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            rule = f"be what {kind.value} carries ({type(error).__name__}: {error})"
            raise must("event data", rule, event.data, "correct the field named") from error


class OwnMemory:
    """The shared memory as an agent of one's own has it.

    Parameters
    ----------
    state : StateManager
        The memory of everybody.
    """

    def __init__(self, state: StateManager) -> None:
        self._state = state
        self._written: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:  # noqa: ANN401 -- JSON-like, the caller knows which
        """Return the value of `key`, or `default` where there is none; what others wrote as a copy."""
        value = self._state.get(key)
        if value is None:
            return default
        return value if key in self._written else decode(encode(value))

    def derived(self, key: str, make: Callable[[Any], T]) -> T | None:
        """Return ``make(value)`` for the value of `key`; None without one."""
        value = self.get(key)
        return None if value is None else make(value)

    def set(self, key: str, value: Any) -> None:  # noqa: ANN401 -- JSON-like, the caller knows which
        """Keep a value.

        Raises
        ------
        InvalidValueError
            The key belongs to the engine, the value is no JSON or too large, or there are too many keys.
        """
        self.update({key: value})

    def update(self, values: Mapping[str, Any]) -> None:
        """Keep several values at once, or none; what is changed in them later is not kept.

        Raises
        ------
        InvalidValueError
            As `set`.
        """
        kept = {}
        for key, value in values.items():
            _check_key(key)
            kept[key] = decode(_encoded(f"state[{key!r}]", value))
        n_keys = len(self._written | set(values))
        if n_keys > MAX_KEYS:
            raise must("state", f"hold at most {MAX_KEYS} keys of one agent", n_keys, "delete some")
        self._written.update(values)
        self._state.update(kept)

    def delete(self, key: str) -> None:
        """Forget a key; harmless when it is unknown.

        Raises
        ------
        InvalidValueError
            The key belongs to the engine.
        """
        _check_key(key)
        self._written.discard(key)
        self._state.delete(key)

    def keys(self, prefix: str = "") -> tuple[str, ...]:
        """Return the known keys that start with `prefix`, sorted."""
        return self._state.keys(prefix)

    def __contains__(self, key: str) -> bool:
        return key in self._state


def _check_alert(alert: Alert) -> None:
    longest = max((alert.alert_id, alert.title, alert.message), key=len)
    if len(longest) > MAX_TEXT:
        raise must(
            "alert", f"have texts of at most {MAX_TEXT} characters", len(longest), "say less"
        )


def _check_key(key: object) -> None:
    is_text = isinstance(key, str) and whole_text(key) == key
    if not is_text or str(key).startswith(TAKEN) or len(str(key)) > MAX_KEY:
        rule = f"be text of at most {MAX_KEY} characters that begins with none of {' '.join(TAKEN)}"
        raise must(
            "key", rule, whole_text(str(key))[:MAX_KEY], "the engine keeps those; choose another"
        )


def _encoded(name: str, value: object) -> bytes:
    """Return the JSON of a value.

    Raises
    ------
    InvalidValueError
        It has none, or a long one.
    """
    try:
        raw = encode(value)
    except (TypeError, ValueError, RecursionError, NotImplementedError) as error:
        raise must(
            name, f"be JSON-like ({error})", type(value).__name__, "use dicts, lists, texts and numbers"
        ) from error  # fmt: skip
    if len(raw) > MAX_BYTES:
        raise must(
            name, f"be at most {MAX_BYTES:,} bytes of JSON", f"{len(raw):,}", "say less, keep the rest in a file"
        )  # fmt: skip
    return raw


def _copy(event: Event) -> Event:
    return replace(event, data=decode(encode(event.data)))
