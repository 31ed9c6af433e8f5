"""What a person did to the proposal of weights, in order, and the screen that follows from it.

Dash drops the answer to a request as soon as the next one is made. The browser therefore notes each deed
(`assets/deeds.js`) and sends all that no answer has told of; the proposal says which of them it has taken. A deed may
come twice, and is then taken twice by the same proposal: nothing is lost, and the engine obeys its command once.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import dash
from dash.exceptions import PreventUpdate

from dashboard.blocks import strategies as blocks
from dashboard.host import GatewayPort, send
from dashboard.views import proposals
from dashboard.views.proposals import Proposal
from engine.domain.commands import SetStrategyWeights
from engine.domain.sections import StrategiesSection

DEEDS = "strategies-deeds"
FORCE = "strategies-force"
REFUSED = "strategies-refused"
KEPT = "strategies-kept"
"""The proposal that the tab kept when its page was left."""
APPLY, EQUAL, RESET, DISCARD = (
    "strategies-apply", "strategies-equal", "strategies-reset", "strategies-discard",
)  # fmt: skip
LOCK = "strategies-lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What a person did, or the engine said.

    Parameters
    ----------
    trigger : str or mapping
        The control's id.
    value : object
        What the control holds.
    n : int
        Its number in this page, rising.
    page : str
        Tells pages apart.
    """

    trigger: object
    value: Any
    n: int = 0
    page: str = ""

    @classmethod
    def all_of(cls, noted: Mapping[str, Any]) -> tuple[Self, ...]:
        """Return the deeds as the browser noted them, oldest first."""
        page = str(noted["page"])
        return tuple(
            cls(trigger=deed["trigger"], value=deed["value"], n=int(deed["n"]), page=page)
            for deed in noted["deeds"]
        )

    @property
    def command_id(self) -> str | None:
        """The id of the command that it sends, the same however often it comes."""
        return f"weights-{self.page}-{self.n}" if self.page else None


def answer(
    gateway: GatewayPort, kept: Mapping[str, Any], noted: Mapping[str, Any]
) -> tuple[Any, ...]:
    """Return the proposal after what was noted and everything drawn from it, in the order of the callback's outputs."""
    proposal = Proposal.from_data(kept)
    deeds = [deed for deed in Deed.all_of(noted) if deed.n > proposal.taken]
    if not deeds:
        raise PreventUpdate
    for deed in deeds:
        proposal = after(gateway, proposal, deed)
    proposal = replace(proposal, taken=deeds[-1].n)
    section: StrategiesSection = (
        gateway.read(("strategies",)).value("strategies") or StrategiesSection()
    )
    drawn = blocks.screen(section, proposal, is_whole=not all(map(_is_move, deeds)))
    _leave_thumb(drawn[0], [row.name for row in section.rows], deeds[-1])
    return (proposal.to_data(), *drawn)


_HEED: dict[str, Callable[[Proposal, Any], Proposal]] = {
    FORCE: proposals.follow,
    KEPT: proposals.take_up,
    REFUSED: lambda proposal, told: proposals.refuse(proposal, *told),
}
"""What the engine, or the tab, says to a proposal."""


def after(gateway: GatewayPort, proposal: Proposal, deed: Deed) -> Proposal:
    """Return the proposal after a deed; Apply sends it."""
    trigger = deed.trigger
    if isinstance(trigger, Mapping):
        return _touched(proposal, trigger, deed.value)
    if heed := _HEED.get(str(trigger)):
        return heed(proposal, json.loads(deed.value))
    if not deed.value:
        return proposal
    if trigger == EQUAL:
        return proposals.equalise(proposal)
    if trigger in {RESET, DISCARD}:
        return proposals.discard(proposal)
    return _applied(gateway, proposal, deed.command_id) if trigger == APPLY else proposal


def _is_move(deed: Deed) -> bool:
    """Return whether a deed can move weights and nothing else."""
    trigger = deed.trigger
    if isinstance(trigger, Mapping):
        return bool(trigger["type"] != LOCK)
    return trigger == EQUAL


def _leave_thumb(values: list[Any], names: Sequence[str], deed: Deed) -> None:
    """Leave the thumb under the finger alone where it stands right: it may be further by now."""
    for k, name in enumerate(names):
        is_own = deed.trigger == blocks.part_id("slider", name)
        if is_own and str(deed.value) == str(values[k]):
            values[k] = dash.no_update


def _touched(proposal: Proposal, trigger: Mapping[str, str], value: Any) -> Proposal:  # noqa: ANN401 -- a control's own
    name, part = trigger["name"], trigger["type"].removeprefix("strategies-")
    if part in {"slider", "number"}:
        return proposals.type_in(proposal, name, value)
    if not value:
        return proposal
    if part == "lock":
        return proposals.toggle_lock(proposal, name)
    return proposals.step(proposal, name, int(trigger["by"]))


def _applied(gateway: GatewayPort, proposal: Proposal, command_id: str | None) -> Proposal:
    if not proposal.is_open or proposal.is_sent:
        return proposal
    weights = {name: weight / proposals.WHOLE for name, weight in proposal.weights.items()}
    problem = send(gateway, SetStrategyWeights(weights=weights), command_id)
    if problem:
        return replace(proposal, problem=problem)
    return proposals.send(proposal, command_id or "")
