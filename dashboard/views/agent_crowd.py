"""What can be done with many agents at once: which command goes to whom, and the one notice made of all answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

from dashboard.views.agent_controls import SUPERVISOR
from engine.domain.agents import AgentStatus
from engine.domain.commands import PauseAgent, ResumeAgent, StartAgent
from engine.domain.sections import AgentRow

AgentCommand = PauseAgent | ResumeAgent | StartAgent


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """One act on many: its button, and the state of those it is for."""

    key: str
    word: str
    icon: str
    status: AgentStatus
    command: type[AgentCommand]


CROWDS = (
    Crowd(key="pause", word="Pause all", icon="pause", status=AgentStatus.RUNNING, command=PauseAgent),
    Crowd(key="resume", word="Resume all", icon="play", status=AgentStatus.PAUSED, command=ResumeAgent),
    Crowd(key="restart", word="Restart failed", icon="rotate-cw", status=AgentStatus.ERROR, command=StartAgent),
)  # fmt: skip


def members(crowd: Crowd, rows: Sequence[AgentRow]) -> tuple[AgentRow, ...]:
    """Return the agents that an act is for; the supervisor runs while the engine runs."""
    return tuple(row for row in rows if row.status is crowd.status and row.agent_id != SUPERVISOR)


def commands_of(crowd: Crowd, rows: Sequence[AgentRow]) -> tuple[tuple[str, AgentCommand], ...]:
    """Return the commands with their ids, in start order; the ids say that they belong together."""
    found = members(crowd, rows)
    group = f"all-{uuid4().hex[:12]}-{len(found)}"
    return tuple(
        (f"{group}-{k}", crowd.command(agent_id=row.agent_id)) for k, row in enumerate(found)
    )


def open_to(rows: Sequence[AgentRow]) -> frozenset[str]:
    """Return the acts that somebody would follow; failed agents are restarted before the others are paused."""
    found = {crowd.key for crowd in CROWDS if members(crowd, rows)}
    return frozenset(found - {"pause"} if "restart" in found else found)
