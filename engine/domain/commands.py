"""Wishes: imperative commands that a screen, REST or the CLI sends and the engine obeys or refuses."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.domain.errors import UnknownNameError
from engine.domain.payload import Payload
from engine.domain.trading import HaltMode


@dataclass(frozen=True, slots=True, kw_only=True)
class StartAgent(Payload):
    """Start one agent."""

    agent_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StopAgent(Payload):
    """Stop one agent."""

    agent_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseAgent(Payload):
    """Pause one agent: it keeps its memory and gets no cycle."""

    agent_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeAgent(Payload):
    """Resume a paused agent."""

    agent_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAgentOnce(Payload):
    """Run one cycle of an agent now."""

    agent_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAgentPace(Payload):
    """Set how often and how urgently an agent's cycles run; what is not given stays as it is.

    `interval_s` is seconds between two cycles, `priority` one of CRITICAL, HIGH, NORMAL, LOW, IDLE.
    """

    agent_id: str
    interval_s: float | None = None
    priority: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetSchedulerWeights(Payload):
    """Set how strongly market, performance and load move the agents' intervals; what is not given stays."""

    market: float | None = None
    performance: float | None = None
    system: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetStrategyWeights(Payload):
    """Put new weights in force with the next cycle; names not given keep theirs."""

    weights: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetStrategyEnabled(Payload):
    """Switch one strategy's vote on or off."""

    strategy: str
    enabled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SetReplaySpeed(Payload):
    """Play so many bars a minute."""

    bars_per_minute: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseReplay(Payload):
    """Hold market time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeReplay(Payload):
    """Let market time run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepReplay(Payload):
    """Play to the end of the next bar, then pause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JumpReplay(Payload):
    """Go to a market moment; a jump back starts a new run with a fresh paper account."""

    to: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRiskLimits(Payload):
    """Put limits in force at once, by name: values as fractions, actions as words; what is not given stays.

    A change that loosens any limit is refused unless `loosen` says that this is meant.
    """

    limits: dict[str, float] = field(default_factory=dict)
    actions: dict[str, str] = field(default_factory=dict)
    loosen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HaltTrading(Payload):
    """The kill switch: cancel open orders, allow no entry, keep positions; stays on through a restart.

    `mode` "REDUCING" lets exits leave and wait on; "HALTED" lets nothing leave.
    """

    reason: str = ""
    mode: HaltMode = HaltMode.HALTED


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeTrading(Payload):
    """Lift the kill switch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgeAlert(Payload):
    """Mark one alert as seen, or all of them when no id is given."""

    alert_id: str | None = None


Command = (
    StartAgent
    | StopAgent
    | PauseAgent
    | ResumeAgent
    | RunAgentOnce
    | SetAgentPace
    | SetSchedulerWeights
    | SetStrategyWeights
    | SetStrategyEnabled
    | SetReplaySpeed
    | PauseReplay
    | ResumeReplay
    | StepReplay
    | JumpReplay
    | SetRiskLimits
    | HaltTrading
    | ResumeTrading
    | AcknowledgeAlert
)
_BY_NAME: dict[str, type[Payload]] = {kind.__name__: kind for kind in Command.__args__}


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandEnvelope(Payload):
    """A command under way.

    Parameters
    ----------
    command_id : str
        Given by the sender; the same id again is the same command and is obeyed once.
    name : str
        Class name of the command.
    actor : str
        Who: a person's name or "local".
    source : str
        Where from: "dashboard", "rest", "cli".
    """

    command_id: str
    name: str
    params: dict[str, Any] = field(default_factory=dict)
    actor: str = "local"
    source: str = ""
    schema: int = 1

    @property
    def command(self) -> Payload:
        """The typed command.

        Raises
        ------
        UnknownNameError
            No command has this name.
        InvalidValueError
            A parameter is missing or of the wrong kind.
        """
        kind = _BY_NAME.get(self.name)
        if kind is None:
            raise UnknownNameError(
                f"command must be one of {', '.join(sorted(_BY_NAME))}, was {self.name!r}; correct the name"
            )
        return kind.from_data(self.params)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandAnswer(Payload):
    """How a command ended: the payload of COMMAND_ACCEPTED and COMMAND_REFUSED.

    `title` and `message` are for the toast: what happened, the number, what follows.
    """

    command_id: str
    name: str
    title: str
    message: str = ""
    actor: str = "local"
    source: str = ""
    params: dict[str, Any] = field(default_factory=dict)
    schema: int = 1
