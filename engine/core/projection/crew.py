"""Sections of the engine and its crew: who runs, what each agent does, alerts, answers to commands, the latch."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from engine.core.projection.analysis import RiskFold
from engine.core.projection.fold import NOTHING, Fold, Names, Route, received_at
from engine.core.projection.portfolio import PortfolioFold
from engine.core.projection.uses import uses_of
from engine.domain.agents import (
    AgentChanged,
    AgentFailed,
    AgentMeasured,
    AgentPaced,
    AgentStatus,
    SchedulerWeights,
)
from engine.domain.commands import CommandAnswer
from engine.domain.events import Event, EventType
from engine.domain.limits import LimitsChanged
from engine.domain.payload import Payload
from engine.domain.risk import Alert
from engine.domain.sections import (
    AgentRow,
    AgentsSection,
    AlertRow,
    AlertsSection,
    AnswersSection,
    EngineSection,
    TradingSection,
)
from engine.domain.trading import TradingHalt

MAX_ALERTS = 200
MAX_ANSWERS = 50


class EngineFold(Fold):
    """``engine``."""

    key = "engine"

    def __init__(self) -> None:
        self._engine: EngineSection | None = None

    def routes(self) -> dict[EventType, Route]:
        """Return the route of starts."""
        return {EventType.RUN_STARTED: self._started}

    def names(self) -> Names:
        """Return ``engine`` once a run has started."""
        return NOTHING if self._engine is None else ("engine",)

    def value(self, _name: str, /) -> Payload | None:
        """Return who runs."""
        return self._engine

    def seed(self, value: Payload) -> Names:
        """Take a state that no event tells, such as "stopping"."""
        if not isinstance(value, EngineSection):
            return super().seed(value)
        self._engine = value
        return ("engine",)

    def kept(self) -> object:
        """Return the section."""
        return self._engine

    def restore(self, data: Any) -> None:  # noqa: ANN401
        """Take it over."""
        self._engine = msgspec.convert(data, EngineSection | None, strict=False)

    def _started(self, event: Event) -> Names:
        self._engine = EngineSection.from_data(event.data)
        return ("engine",)


class AgentsFold(Fold):
    """``agents``."""

    key = "agents"

    def __init__(self) -> None:
        self._rows: dict[str, AgentRow] = {}
        self._figures = AgentsSection()

    def routes(self) -> dict[EventType, Route]:
        """Return the routes of agents' lives, failures and figures."""
        return {
            EventType.AGENT_CHANGED: self._changed,
            EventType.ENGINE_STARTED: self._changed,
            EventType.ENGINE_STOPPED: self._changed,
            EventType.AGENT_FAILED: self._failed,
            EventType.AGENT_MEASURED: self._measured,
            EventType.AGENT_PACED: self._paced,
            EventType.SCHEDULER_WEIGHTED: self._weighted,
            EventType.HEALTH_CHECKED: self._health,
        }

    def names(self) -> Names:
        """Return ``agents`` once one is known."""
        return ("agents",) if self._rows else NOTHING

    def value(self, _name: str, /) -> Payload | None:
        """Return the rows in start order with the execution engine's figures."""
        return replace(self._figures, rows=tuple(self._rows.values()))

    def seed(self, value: Payload) -> Names:
        """Take titles, pace, topics and order; states that events told stay."""
        if not isinstance(value, AgentsSection):
            return super().seed(value)
        self._figures = replace(self._figures, weights=value.weights)
        known, self._rows = self._rows, {}
        for row in value.rows:
            before = known.get(row.agent_id)
            self._rows[row.agent_id] = row if before is None else _with_life_of(row, before)
        return ("agents",)

    def kept(self) -> object:
        """Return the section."""
        return self.value("agents")

    def restore(self, data: Any) -> None:  # noqa: ANN401
        """Take it over."""
        section = AgentsSection.from_data(data)
        self._rows = {row.agent_id: row for row in section.rows}
        self._figures = replace(section, rows=())

    def _changed(self, event: Event) -> Names:
        changed = AgentChanged.from_data(event.data)
        row = self._rows.get(changed.agent_id) or AgentRow(
            agent_id=changed.agent_id, title=changed.name
        )
        if changed.status is AgentStatus.RUNNING and row.status is not AgentStatus.RUNNING:
            row = replace(row, consecutive_errors=0)
        if changed.status is not row.status or row.since is None:
            row = replace(row, actor=changed.actor, since=received_at(event))
        self._rows[changed.agent_id] = replace(row, status=changed.status, reason=changed.reason)
        return ("agents",)

    def _failed(self, event: Event) -> Names:
        failed = AgentFailed.from_data(event.data)
        row = self._rows.get(failed.agent_id)
        if row is None:
            return NOTHING
        self._rows[failed.agent_id] = replace(
            row, last_error=failed.error, consecutive_errors=failed.consecutive
        )
        return ("agents",)

    def _measured(self, event: Event) -> Names:
        measured = AgentMeasured.from_data(event.data)
        row = self._rows.get(measured.agent_id)
        if row is None:
            return NOTHING
        self._rows[measured.agent_id] = replace(row, measured=measured)
        return ("agents",)

    def _paced(self, event: Event) -> Names:
        paced = AgentPaced.from_data(event.data)
        row = self._rows.get(paced.agent_id)
        if row is None:
            return NOTHING
        self._rows[paced.agent_id] = replace(
            row, interval_s=paced.interval_s, base_interval_s=paced.base_interval_s,
            priority=paced.priority, pace_inputs=paced.inputs or row.pace_inputs,
        )  # fmt: skip
        return ("agents",)

    def _weighted(self, event: Event) -> Names:
        self._figures = replace(self._figures, weights=SchedulerWeights.from_data(event.data))
        return ("agents",)

    def _health(self, event: Event) -> Names:
        told = {k: v for k, v in event.data.items() if k != "rows" and k in _FIGURES}
        figures = AgentsSection.from_data({**_figures_of(self._figures), **told})
        # the pool tells its own news in between; they make the engine's figures no younger
        is_check = "running_tasks" in told
        at = received_at(event) if is_check else self._figures.measured_at
        self._figures = replace(figures, weights=self._figures.weights, measured_at=at)
        return ("agents",)


_FIGURES = (
    "events_per_second", "events_by_source", "queue_by_priority", "running_tasks", "max_concurrent_tasks",
    "late_tasks", "late_ms_p99", "failed_tasks", "timed_out_tasks", "orphaned_tasks", "timers", "loop_lag_ms",
    "durations", "apis", "pool",
)  # fmt: skip


def _figures_of(section: AgentsSection) -> Mapping[str, Any]:
    return {name: getattr(section, name) for name in _FIGURES}


def _with_life_of(row: AgentRow, before: AgentRow) -> AgentRow:
    return replace(
        row, status=before.status, reason=before.reason, actor=before.actor, since=before.since,
        measured=before.measured, last_error=before.last_error,
        consecutive_errors=before.consecutive_errors,
    )  # fmt: skip


class AlertsFold(Fold):
    """``alerts``."""

    key = "alerts"

    def __init__(self) -> None:
        self._rows: tuple[AlertRow, ...] = ()

    def routes(self) -> dict[EventType, Route]:
        """Return the routes of alerts and of "seen"."""
        return {
            EventType.RISK_ALERT: self._alert,
            EventType.ALERT_ACKNOWLEDGED: self._acknowledged,
        }

    def names(self) -> Names:
        """Return ``alerts``: an empty list is known from the start."""
        return ("alerts",)

    def value(self, _name: str, /) -> Payload | None:
        """Return the alerts, newest first."""
        return AlertsSection(rows=self._rows)

    def kept(self) -> object:
        """Return the rows."""
        return self._rows

    def restore(self, data: Any) -> None:  # noqa: ANN401
        """Take them over."""
        self._rows = msgspec.convert(data, tuple[AlertRow, ...], strict=False)

    def _alert(self, event: Event) -> Names:
        row = AlertRow(alert=Alert.from_data(event.data), at=received_at(event), seq=event.seq)
        self._rows = (row, *self._rows[: MAX_ALERTS - 1])
        return ("alerts",)

    def _acknowledged(self, event: Event) -> Names:
        wanted = event.data.get("alert_id")
        self._rows = tuple(
            replace(row, is_acknowledged=True) if wanted in {None, row.alert.alert_id} else row
            for row in self._rows
        )
        return ("alerts",)


class AnswersFold(Fold):
    """``answers``."""

    key = "answers"

    def __init__(self) -> None:
        self._section = AnswersSection()

    def routes(self) -> dict[EventType, Route]:
        """Return the routes of answers."""
        return {
            EventType.COMMAND_ACCEPTED: self._answer,
            EventType.COMMAND_REFUSED: self._answer,
        }

    def names(self) -> Names:
        """Return ``answers``."""
        return ("answers",)

    def value(self, _name: str, /) -> Payload | None:
        """Return the answers, newest first."""
        return self._section

    def kept(self) -> object:
        """Return the section."""
        return self._section

    def restore(self, data: Any) -> None:  # noqa: ANN401
        """Take it over."""
        self._section = AnswersSection.from_data(data)

    def _answer(self, event: Event) -> Names:
        is_accepted = event.event_type is EventType.COMMAND_ACCEPTED
        row = (event.seq, received_at(event), is_accepted, CommandAnswer.from_data(event.data))
        self._section = AnswersSection(rows=(row, *self._section.rows[: MAX_ANSWERS - 1]))
        return ("answers",)


class TradingFold(Fold):
    """``trading``: the latch from events, the limits from the settings, their use from portfolio and risk."""

    key = "trading"

    def __init__(self, portfolio: PortfolioFold, risk: RiskFold) -> None:
        self._portfolio, self._risk = portfolio, risk
        self._section = TradingSection()

    def routes(self) -> dict[EventType, Route]:
        """Return the routes of the latch."""
        return {
            EventType.TRADING_HALTED: self._latch,
            EventType.TRADING_RESUMED: self._latch,
            EventType.LIMITS_CHANGED: self._limits,
        }

    def names(self) -> Names:
        """Return ``trading``."""
        return ("trading",)

    def value(self, _name: str, /) -> Payload | None:
        """Return latch, limits and uses."""
        uses = uses_of(
            self._section.limits, self._portfolio.value("portfolio"), self._risk.portfolio
        )
        return replace(self._section, uses=uses)

    def seed(self, value: Payload) -> Names:
        """Take the limits in force."""
        if not isinstance(value, TradingSection):
            return super().seed(value)
        self._section = replace(self._section, limits=value.limits)
        return ("trading",)

    def kept(self) -> object:
        """Return the section."""
        return self._section

    def restore(self, data: Any) -> None:  # noqa: ANN401
        """Take it over."""
        self._section = TradingSection.from_data(data)

    def _limits(self, event: Event) -> Names:
        told = LimitsChanged.from_data(event.data)
        self._section = replace(self._section, limits=told.limits)
        return ("trading",)

    def _latch(self, event: Event) -> Names:
        halt = TradingHalt.from_data(event.data)
        self._section = replace(
            self._section, mode=halt.mode, actor=halt.actor, reason=halt.reason,
            since=received_at(event),
        )  # fmt: skip
        return ("trading",)
