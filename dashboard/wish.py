"""What a browser asks of the live transport: the topics that its page shows.

A topic is ``part`` or ``part:ARGUMENT``.
"""

import json
import re
from dataclasses import dataclass, fields

from engine.domain.errors import must
from engine.domain.payload import Payload

MAX_TOPICS = 64
MAX_MESSAGE_CHARS = 16_384
MAX_EPOCH_CHARS = 32
_TOPIC = re.compile(r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+(:[\w .:^/=&|-]{1,64})?$")


def is_topic(topic: str) -> bool:
    """Return whether `topic` is text of the right form."""
    return _TOPIC.fullmatch(topic) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish(Payload):
    """What a client asks for.

    Parameters
    ----------
    topics : tuple of str
        What its page shows.
    since : int
        Newest version it has painted of all of them; 0 asks for everything.
    epoch : str
        The hub that counted `since`; versions of another hub mean nothing.
    """

    topics: tuple[str, ...]
    since: int = 0
    epoch: str = ""

    def __post_init__(self) -> None:
        """Refuse what no page of ours sends.

        Raises
        ------
        InvalidValueError
            Too many topics, one of the wrong form, or a place that no hub has counted.
        """
        if self.since < 0:
            raise must("since", "be 0 or more", self.since, "send the v of the newest frame")
        if len(self.epoch) > MAX_EPOCH_CHARS:
            remedy = "send the epoch of the newest frame"
            raise must(
                "epoch", f"have at most {MAX_EPOCH_CHARS} characters", self.epoch[:80], remedy
            )
        if len(self.topics) > MAX_TOPICS:
            raise must("topics", f"be at most {MAX_TOPICS}", len(self.topics), "send fewer")
        for topic in self.topics:
            if not is_topic(topic):
                rule = "name a page and a part of it"
                raise must(
                    "topics", rule, topic[:80], "send such as markets.ticks or markets.head:AAPL:1D"
                )

    @classmethod
    def from_text(cls, text: str) -> "Wish":
        """Return the wish in a client's message.

        Raises
        ------
        InvalidValueError
            The message is too long, no JSON, or not of the agreed form.
        """
        if len(text) > MAX_MESSAGE_CHARS:
            remedy = "send fewer topics"
            raise must("message", f"have at most {MAX_MESSAGE_CHARS} characters", len(text), remedy)
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise must("message", "be JSON", text[:80], "send an object with topics") from error
        unknown = sorted(set(data) - _FIELDS) if isinstance(data, dict) else ()
        if unknown:
            raise must(unknown[0][:80], "be left out", data[unknown[0]], "nothing has this name")
        return cls.from_data(data)


_FIELDS = frozenset(field.name for field in fields(Wish))
