"""Orders, fills and what is held. Money and quantities are Decimal; sides are words."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum, StrEnum

from engine.domain.payload import Payload


class Side(StrEnum):
    """Direction of an order."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def sign(self) -> int:
        """+1 for BUY, -1 for SELL."""
        return 1 if self is Side.BUY else -1


class OrderStatus(Enum):
    """Life of an order; the last four are final."""

    INTENDED = "INTENDED"
    OPEN = "OPEN"
    UNKNOWN = "UNKNOWN"
    FILLED = "FILLED"
    REJECTED = "REJECTED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order(Payload):
    """One order: the payload of ORDER_INTENDED, ORDER_PLACED, ORDER_REJECTED and ORDER_CANCELLED.

    Parameters
    ----------
    order_id : str
        Client order id, at most 36 characters, known before the order leaves: ``ph-<epoch>-<seq>``.
    quantity : Decimal
        Positive number of units.
    price : Decimal
        Price when it was decided.
    reduces : bool
        True when it can only make a position smaller.
    """

    order_id: str
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    status: OrderStatus
    strategy: str = ""
    reason: str = ""
    cycle_id: str | None = None
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    reduces: bool = False
    account: str = "paper"
    schema: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill(Payload):
    """An executed order: the payload of ORDER_FILLED."""

    fill_id: str
    order_id: str
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    fee: Decimal
    filled_at: datetime
    strategy: str = ""
    account: str = "paper"
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    schema: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Position(Payload):
    """What is held of one symbol; `quantity` is negative when short, `entry_price` is the average."""

    symbol: str
    quantity: Decimal
    entry_price: Decimal
    opened_at: datetime
    realised_pnl: Decimal = Decimal(0)
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Account(Payload):
    """Cash and positions, the fold of all fills of one run."""

    name: str = "paper"
    initial_cash: Decimal = Decimal(100_000)
    cash: Decimal = Decimal(100_000)
    fees_paid: Decimal = Decimal(0)
    positions: tuple[Position, ...] = ()

    def position(self, symbol: str) -> Position | None:
        """Return the open position in `symbol`, or None."""
        return next((p for p in self.positions if p.symbol == symbol), None)


class HaltMode(Enum):
    """What the kill switch left allowed; the written state machine of trading."""

    ACTIVE = "ACTIVE"
    REDUCING = "REDUCING"
    HALTED = "HALTED"


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingHalt(Payload):
    """The payload of TRADING_HALTED and TRADING_RESUMED."""

    mode: HaltMode
    actor: str
    reason: str = ""
    cancelled_orders: tuple[str, ...] = ()
    schema: int = 1
