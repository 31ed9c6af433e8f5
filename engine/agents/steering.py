"""What a person may do to the time of a feed, and what the answer says."""

from engine.domain.commands import (
    JumpReplay,
    PauseReplay,
    ResumeReplay,
    SetReplaySpeed,
    StepReplay,
)
from engine.domain.errors import FeedError
from engine.domain.market import FeedKind, FeedState
from engine.domain.payload import Payload
from engine.ports.feed import Controllable, Feed

Answer = tuple[str, str]


def steer(feed: Feed, command: Payload) -> Answer:
    """Obey a command for the feed; return title and message of the answer.

    Raises
    ------
    FeedError
        The feed can't be steered so; the message says why.
    InvalidValueError
        A parameter breaks its rule.
    """
    if not isinstance(feed, Controllable):
        raise FeedError(
            f"a {feed.state.kind.value} feed runs with the wall clock and can't be steered; use a replay for that"
        )
    name = "Replay" if feed.state.kind is FeedKind.REPLAY else "Synthetic feed"
    match command:
        case SetReplaySpeed():
            feed.set_speed(command.bars_per_minute)
            return f"{name} at ×{command.bars_per_minute:g}", f"{_pace(feed.state)} from now on."
        case PauseReplay():
            feed.pause()
            return f"{name} paused", f"Market time stands at {_day(feed.state)}."
        case ResumeReplay():
            feed.resume()
            return f"{name} runs", f"From {_day(feed.state)} on, {_pace(feed.state)}."
        case StepReplay():
            feed.step()
            return f"{name} steps", "It plays to the end of the bar, then stays paused."
        case JumpReplay():
            return _jump(feed, feed, command, name)
        case _:
            raise FeedError(f"a feed can't obey {type(command).__name__}; send it to its owner")


def _jump(feed: Feed, steered: Controllable, command: JumpReplay, name: str) -> Answer:
    run_id = feed.state.run_id
    steered.jump(command.to)
    state = feed.state
    if state.run_id != run_id:
        follows = f"A new run ({state.run_id}) starts with a fresh paper account."
    else:
        follows = "The bars passed over are history; nothing was traded in them."
    return f"{name} at the close of {_day(state)}", follows


def _day(state: FeedState) -> str:
    return f"{state.market_time.day} {state.market_time:%b %Y}"


def _pace(state: FeedState) -> str:
    speed = state.bars_per_minute or 0.0
    return f"{speed:g} {'bar' if speed == 1 else 'bars'} a minute"
