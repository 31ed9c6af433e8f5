"""Five market days with level 1 alone, written down: every vote and fill, rounded to what must not change."""

import asyncio
import json
from pathlib import Path
from typing import Any

from engine.bootstrap.turned import build_turned
from engine.domain.events import EventType
from engine.settings import Settings

FILE = Path(__file__).parent / "days.json"
DAYS = 5


def days() -> dict[str, Any]:
    """Return what five days come to."""
    return asyncio.run(_days())


async def _days() -> dict[str, Any]:
    turned = build_turned(Settings(mc_levels=(1,), mc_rehearsal=0, speed=60))
    await turned.host.start()
    await turned.advance(float(DAYS))
    log = list(turned.journal.events())
    votes = {
        e.data["cycle_id"]: [e.data["action"], round(e.data["score"], 6)]
        for e in log
        if e.event_type is EventType.CYCLE_RECORDED
    }
    fills = [
        [e.data["symbol"], e.data["side"], e.data["quantity"], round(float(e.data["price"]), 4)]
        for e in log
        if e.event_type is EventType.ORDER_FILLED
    ]
    medians = {
        f"{e.data['symbol']} {e.as_of:%Y-%m-%d}": [
            round(e.data["spot"], 4), round(e.data["sigma_per_step"], 8), round(e.data["fan"][3][-1], 4),
        ]
        for e in log
        if e.event_type is EventType.MC_UPDATE and e.data["is_record"] and e.as_of is not None
    }  # fmt: skip
    return {"votes": votes, "fills": fills, "forecasts": medians}


def text(found: dict[str, Any]) -> str:
    """Return the record as it stands in the file."""
    return json.dumps(found, indent=1, sort_keys=True) + "\n"
