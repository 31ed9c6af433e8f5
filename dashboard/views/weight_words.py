"""Sentences beside the weights: what locks do, what the others count while some are off, what the engine refused."""

from dashboard.views.proposals import Proposal
from dashboard.views.strategies import whole_percents
from engine.domain.commands import SetStrategyWeights
from engine.domain.sections import AnswersSection, Snapshot, StrategiesSection


def lock_words(proposal: Proposal) -> str:
    """Return what locks do to the others."""
    n = len(proposal.locks)
    free = len(proposal.weights) - n
    if not n:
        return "Moving one weight shifts the others in proportion."
    if free < 2:  # noqa: PLR2004 -- nothing is left to shift
        return f"{n} locked. Unlock another one to move a weight."
    return f"{n} locked. Moving one weight shifts the other {free - 1} in proportion."


def off_words(section: StrategiesSection) -> str:
    """Return what the votes of the others count while some are switched off, in force now."""
    on = {row.title: row.weight for row in section.rows if row.enabled}
    n_off = len(section.rows) - len(on)
    if not n_off or not sum(on.values()):
        return ""
    shares = whole_percents(on)
    votes = ", ".join(f"{title} {share}%" for title, share in shares.items())
    return f"{n_off} switched off, the votes of the others count: {votes}."


def refused_weights(snapshot: Snapshot) -> tuple[str, str] | None:
    """Return the command of the newest weights that the engine refused, and why in a sentence."""
    answers: AnswersSection | None = snapshot.value("answers")
    for _, _, is_accepted, answer in answers.rows if answers else ():
        if answer.name == SetStrategyWeights.__name__ and not is_accepted:
            return answer.command_id, f"{answer.title.rstrip('.')}. {answer.message}"
    return None
