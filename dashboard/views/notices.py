"""What the bell and the toasts say: alerts, and what the engine answered to commands, in words."""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard import formatting as fmt
from engine.domain.commands import CommandAnswer
from engine.domain.risk import Severity
from engine.domain.sections import AlertRow, AlertsSection, AnswersSection, Snapshot

N_TOASTS = 6
_SEVERITY_ICONS = {
    Severity.INFO: ("info", ""),
    Severity.WARNING: ("triangle-alert", "warn"),
    Severity.CRITICAL: ("triangle-alert", "crit"),
}

AnswerRow = tuple[int, float, bool, CommandAnswer]
_DONE = {"PauseAgent": "paused", "ResumeAgent": "resumed", "StartAgent": "restarted"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One line of the bell's history or one toast; `seq` orders them, `at` is wall epoch seconds."""

    seq: int
    at: float
    icon: str
    tone: str
    title: str
    message: str
    when: str
    alert_id: str = ""
    is_acknowledged: bool = False
    stays: bool = False


def alert_notices(snapshot: Snapshot) -> tuple[Notice, ...]:
    """Return the bell's history, newest first."""
    alerts: AlertsSection | None = snapshot.value("alerts")
    notices = []
    for row in alerts.rows if alerts else ():
        icon, tone = _SEVERITY_ICONS[row.alert.severity]
        notices.append(
            Notice(
                seq=row.seq,
                at=row.at,
                icon=icon,
                tone=tone,
                title=row.alert.title,
                message=row.alert.message,
                when=_raised(row),
                alert_id=row.alert.alert_id,
                is_acknowledged=row.is_acknowledged,
                stays=row.alert.severity is Severity.CRITICAL,
            )
        )
    return tuple(notices)


def _raised(row: AlertRow) -> str:
    """Return when an alert came: the market's date, as Risk has it, and the time on the wall."""
    at = fmt.clock(fmt.from_epoch(row.at))
    return f"{fmt.date(row.alert.raised_at)}, {at}" if row.alert.raised_at else at


def answer_notices(snapshot: Snapshot) -> tuple[Notice, ...]:
    """Return what the engine answered to commands, newest first; commands that belong together make one notice."""
    answers: AnswersSection | None = snapshot.value("answers")
    groups: dict[str, list[AnswerRow]] = {}
    for row in answers.rows if answers else ():
        groups.setdefault(_group_of(row[3].command_id), []).append(row)
    return tuple(
        _answer_notice(*rows[0]) if len(rows) == 1 else _joint(rows) for rows in groups.values()
    )


def _group_of(command_id: str) -> str:
    """Return what the commands of one act have in common; a command alone has its id to itself."""
    return command_id.rpartition("-")[0] if command_id.startswith("all-") else command_id


def _joint(rows: Sequence[AnswerRow]) -> Notice:
    """Return one notice of many answers: how many obeyed, and the first reason of those that did not."""
    newest, refused = rows[0], [row for row in rows if not row[2]]
    done = len(rows) - len(refused)
    asked = int(_group_of(newest[3].command_id).rpartition("-")[2])
    name = _DONE.get(newest[3].name, "answered")
    short = f", {len(refused)} refused" if refused else ""
    short += f", {asked - len(rows)} not answered yet" if asked > len(rows) else ""
    words = refused[-1][3] if refused else None
    joint = CommandAnswer(
        command_id=newest[3].command_id,
        name=newest[3].name,
        title=f"{fmt.plural(done, 'agent')} {name}{short}",
        message=f"{words.title}: {words.message}"
        if words
        else f"One command each, {len(rows)} of {asked} were obeyed.",
    )
    return _answer_notice(newest[0], newest[1], not refused, joint)


def _answer_notice(seq: int, at: float, is_accepted: bool, answer: CommandAnswer) -> Notice:
    return Notice(
        seq=seq,
        at=at,
        icon="circle-check" if is_accepted else "circle-x",
        tone="up" if is_accepted else "crit",
        title=answer.title,
        message=answer.message,
        when=fmt.clock(fmt.from_epoch(at)),
        stays=not is_accepted,
    )


def toast_notices(snapshot: Snapshot) -> tuple[Notice, ...]:
    """Return the newest answers and alerts together, newest first; the browser shows each once."""
    loud = (notice for notice in alert_notices(snapshot) if not notice.is_acknowledged)
    both = sorted([*answer_notices(snapshot), *loud], key=lambda notice: notice.seq, reverse=True)
    return tuple(both[:N_TOASTS])
