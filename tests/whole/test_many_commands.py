"""A thousand wishes at once, each sent twice, over HTTP, while a browser's websocket is open (fault L1)."""

import asyncio
import itertools
import json
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect

from tests.program import Server, wait_until

N_WISHES = 1_000
N_AT_ONCE = 50
SILENCE_S = 5.0
"""What a page takes for a dead link."""


def wish(n: int) -> dict[str, object]:
    """Return what the browser sends for a wish: the n-th gives momentum a weight of its own."""
    weights = {"momentum": round(0.1 + n / 10_000, 4)}
    intent = {
        "command_id": f"wish-{n}",
        "name": "SetStrategyWeights",
        "params": {"weights": weights},
    }
    held = {"id": "ph-intent", "property": "data", "value": intent}
    return {
        "output": "ph-intent-answer.children",
        "outputs": {"id": "ph-intent-answer", "property": "children"},
        "inputs": [held],
        "changedPropIds": ["ph-intent.data"],
    }


async def longest_silence(server: Server, is_over: asyncio.Event) -> float:
    """Return the longest time between two frames to an open page, seconds."""
    longest, last = 0.0, time.monotonic()
    async with connect(f"{server.url.replace('http', 'ws')}/ws/live", origin=server.url) as socket:
        await socket.send(
            json.dumps({"topics": ["frame.bar", "frame.state"], "since": 0, "epoch": ""})
        )
        while not is_over.is_set():
            async with asyncio.timeout(60):
                await socket.recv()
            longest, last = max(longest, time.monotonic() - last), time.monotonic()
    return longest


async def send_all(server: Server) -> list[tuple[int, str]]:
    """Send every wish twice, as a double click does; return the statuses with the words of the answers."""
    places = asyncio.Semaphore(N_AT_ONCE)
    async with httpx.AsyncClient(
        base_url=server.url, headers={"origin": server.url}, timeout=60, trust_env=False
    ) as client:

        async def send(n: int) -> tuple[int, str]:
            async with places:
                answer = await client.post("/_dash-update-component", json=wish(n))
                return answer.status_code, answer.text

        return await asyncio.gather(*(send(n) for n in range(N_WISHES) for _ in range(2)))


async def storm(server: Server) -> tuple[list[tuple[int, str]], float]:
    is_over = asyncio.Event()
    page = asyncio.create_task(longest_silence(server, is_over))
    answers = await send_all(server)
    is_over.set()
    return answers, await page


def test_a_thousand_commands_at_once_each_sent_twice_are_each_applied_once(
    home: Path, servers: Callable[..., Server]
):
    server = servers(home).start()
    server.wait_for_bars(1)
    start = server.books.head()
    answers, silence_s = asyncio.run(storm(server))
    assert {status for status, _ in answers} == {200}
    assert all('"children":""' in words for _, words in answers), "no wish is refused at the door"
    assert silence_s < SILENCE_S, "an open page is told all the while"

    books = server.books
    wait_until(lambda: books.n("WEIGHTS_CHANGED", start) >= N_WISHES, "every wish is obeyed")
    accepted = [row["command_id"] for row in books.data("COMMAND_ACCEPTED", start)]
    assert sorted(accepted) == sorted(f"wish-{n}" for n in range(N_WISHES)), "each once"
    assert books.n("COMMAND_REFUSED", start) == 0
    changes = books.data("WEIGHTS_CHANGED", start)
    assert len(changes) == N_WISHES
    given = sorted(change["weights"]["momentum"] for change in changes)
    assert given == [round(0.1 + n / 10_000, 4) for n in range(N_WISHES)]
    for before, after in itertools.pairwise(changes):
        assert after["previous"] == before["weights"], "nothing is lost in between"
    others = [{k: v for k, v in each["weights"].items() if k != "momentum"} for each in changes]
    assert all(other == others[0] for other in others), "what nobody touched stays"

    head = books.head()
    cycles = wait_until(
        lambda: books.data("CYCLE_RECORDED", head), "the next vote: the market goes on"
    )
    shares = {vote["algorithm"]: vote["weight"] for vote in cycles[0]["votes"]}
    weights = changes[-1]["weights"]
    assert sum(shares.values()) == pytest.approx(1.0)
    assert shares["momentum"] == pytest.approx(weights["momentum"] / sum(weights.values()))

    for n in (1, 2):  # control: the same wish under two names is two wishes
        assert books.send("SetStrategyWeights", f"control-{n}", weights=weights)["title"]
    assert books.n("COMMAND_ACCEPTED", start) == N_WISHES + 2
