"""Stop and target against a price: which of them it has reached, and in words where a price must lie between them.

A long position's stop lies below the price and its target above; a short one's the other way round.
"""

from dataclasses import dataclass
from decimal import Decimal

from engine.trading import wording as say


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """The prices at which a position closes itself.

    Parameters
    ----------
    direction : int
        +1 for long, -1 for short.

    Examples
    --------
    >>> long = Protection(direction=1, stop=Decimal(96), target=Decimal(108))
    >>> long.reached(Decimal(96)), long.reached(Decimal(100)), long.between
    (('stop', Decimal('96')), None, 'above 96.00 and below 108.00')
    """

    direction: int
    stop: Decimal | None
    target: Decimal | None

    def distance(self, price: Decimal) -> Decimal | None:
        """Return how far a price must move against the position to its stop; not above zero where it is reached."""
        return None if self.stop is None else (price - self.stop) * self.direction

    def reached(self, price: Decimal) -> tuple[str, Decimal] | None:
        """Return "stop" or "target" with its price where this price has reached it."""
        distance = self.distance(price)
        if self.stop is not None and distance is not None and distance <= 0:
            return "stop", self.stop
        if self.target is not None and (price - self.target) * self.direction >= 0:
            return "target", self.target
        return None

    @property
    def between(self) -> str:
        """Where a price has reached neither, in words."""
        words = ("above", "below") if self.direction > 0 else ("below", "above")
        sides = zip(words, (self.stop, self.target), strict=True)
        return " and ".join(f"{word} {say.price(p)}" for word, p in sides if p is not None)

    @property
    def prices(self) -> str:
        """Stop and target in words, as far as there are any."""
        named = (("stop", self.stop), ("target", self.target))
        return ", ".join(f"{name} {say.price(p)}" for name, p in named if p is not None)
