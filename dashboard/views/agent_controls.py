"""What a person can do with an agent now, and what follows when it says nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.views.agent_states import names_of
from engine.domain.agents import AgentStatus
from engine.domain.sections import AgentRow

SUPERVISOR = "supervisor"
MAIN_TOPICS = {
    "market_data": "MARKET_DATA",
    "monte_carlo": "MC_UPDATE",
    "risk": "RISK_UPDATE",
    "strategy": "SIGNAL_GENERATED",
    "execution": "ORDER_FILLED",
    "supervisor": "HEALTH_CHECKED",
}
"""The one topic of an agent that the others wait for; of any other agent it is the first that it says."""

_NEXT_ONE = "it works with the next event"
_IN_BETWEEN = {
    AgentStatus.STARTING: "it is starting",
    AgentStatus.STOPPING: "it is stopping",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """One button: the command it sends, what follows from it, or why it does nothing now.

    `is_named` shows the word beside the icon also where room is short.
    """

    command: str
    icon: str
    word: str
    tip: str = ""
    locked: str = ""
    is_named: bool = False


def main_topic(row: AgentRow) -> str:
    """Return the topic that the others wait for, or nothing."""
    topic = MAIN_TOPICS.get(row.agent_id, "")
    if topic in row.topics_out:
        return topic
    return row.topics_out[0] if row.topics_out else ""


def effect_of(row: AgentRow, crew: Sequence[AgentRow]) -> str:
    """Return what the others miss while this agent says nothing."""
    topic = main_topic(row)
    if not topic:
        return "Nobody waits for it."
    names = names_of(crew)
    hearers = [
        names[other.agent_id]
        for other in crew
        if topic in other.topics_in and other.agent_id != row.agent_id
    ]
    return f"No {topic}{f' for {_listed(hearers)}' if hearers else ''} until it goes on."


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def controls_of(row: AgentRow, crew: Sequence[AgentRow]) -> tuple[Control, ...]:
    """Return the buttons that make sense in the agent's state; those that do nothing now say why."""
    effect = effect_of(row, crew)
    if row.status is AgentStatus.PAUSED:
        return (_control("ResumeAgent", f"Resume: {_NEXT_ONE}", is_named=True), _stop(row, effect))
    if row.status is AgentStatus.ERROR:
        return (
            _control("StartAgent", "Restart: its failures are forgotten", word="Restart"),
            _stop(row, effect),
        )
    if row.status in {AgentStatus.STOPPED, AgentStatus.CREATED}:
        return (_control("StartAgent", f"Start: {_NEXT_ONE}", word="Start"),)
    if row.status is AgentStatus.NOT_SET_UP:
        return (
            _control(
                "StartAgent", word="Start", locked=row.reason or "something it needs is missing"
            ),
        )
    locked = _IN_BETWEEN.get(row.status, "")
    kept = "the supervisor runs while the engine runs; Stop… halts trading"
    protected = kept if row.agent_id == SUPERVISOR else locked
    return (
        _control("PauseAgent", f"Pause: {_lowered(effect)}", locked=protected),
        _stop(row, effect, protected),
        _control("RunAgentOnce", "Run one cycle now", locked=locked or _no_cycle(row)),
    )


def _stop(row: AgentRow, effect: str, locked: str = "") -> Control:
    tip = f"Stop, also through a restart of the program: {_lowered(effect)}"
    if row.agent_id == SUPERVISOR and not locked:
        locked = "the supervisor runs while the engine runs"
    return _control("StopAgent", tip, locked=locked)


def _no_cycle(row: AgentRow) -> str:
    return "" if row.interval_s else f"it works {row.trigger or 'on event'}, it has no cycle to run"


_FACES = {
    "PauseAgent": ("pause", "Pause"),
    "ResumeAgent": ("play", "Resume"),
    "StartAgent": ("play", "Start"),
    "StopAgent": ("square", "Stop"),
    "RunAgentOnce": ("step-forward", "Run once"),
}


def _control(
    command: str, tip: str = "", *, word: str = "", locked: str = "", is_named: bool = False
) -> Control:
    icon, usual = _FACES[command]
    return Control(
        command=command,
        icon="rotate-cw" if word == "Restart" else icon,
        word=word or usual,
        tip=tip,
        locked=locked,
        is_named=is_named or bool(word),
    )


def _lowered(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:].rstrip(".")
