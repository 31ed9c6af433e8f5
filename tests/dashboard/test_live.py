"""The live hub: drawn once for all, newest state wins, resumed by version, one failure contained."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from dashboard.live import REST_S, HubFullError, LiveHub
from dashboard.page import LivePart
from dashboard.patches import Patch
from dashboard.wish import Wish
from engine.domain.errors import InvalidValueError
from engine.domain.sections import QuotesSection, Snapshot
from tests.dashboard.fakes import FakeGateway, quote

pytestmark = pytest.mark.asyncio


class Prices:
    """A part that writes one price and counts how often it was drawn."""

    def __init__(self) -> None:
        self.drawn = 0
        self.error: Exception | None = None

    def __call__(self, snapshot: Snapshot, argument: str) -> Patch:
        self.drawn += 1
        if self.error is not None:
            raise self.error
        quotes = snapshot.value("quotes")
        price = quotes.quotes["AAPL"].price if quotes else None
        return Patch(text={f"last-{argument or 'all'}": str(price)})


def put_price(gateway: FakeGateway, price: float) -> None:
    gateway.put("quotes", QuotesSection(quotes={"AAPL": quote("AAPL", price)}))


@asynccontextmanager
async def running(gateway: FakeGateway, *parts: LivePart, **options: Any) -> AsyncIterator[LiveHub]:
    hub = LiveHub(gateway, parts, now=lambda: 1000.0, **options)
    await hub.start()
    try:
        yield hub
    finally:
        await hub.stop()


def part(render: Any, **options: Any) -> LivePart:
    return LivePart(
        name="markets.prices",
        sections=("quotes",),
        render=render,
        **{"min_interval_s": 0.0, **options},
    )


async def frame(hub: LiveHub, client: Any) -> dict[str, Any]:
    return json.loads(await asyncio.wait_for(hub.next_frame(client), 2))


async def test_a_new_client_gets_the_whole_state_and_then_the_change():
    gateway = FakeGateway()
    put_price(gateway, 1.0)
    async with running(gateway, part(Prices())) as hub:
        client = hub.connect()
        await hub.subscribe(client, Wish(topics=("markets.prices",)))
        first = await frame(hub, client)
        put_price(gateway, 2.0)
        second = await frame(hub, client)
    assert first["parts"]["markets.prices"] == {"text": {"last-all": "1.0"}}
    assert second["parts"]["markets.prices"] == {"text": {"last-all": "2.0"}}
    assert second["v"] > first["v"]
    assert second["now"] == 1000.0


async def test_a_part_is_drawn_once_for_all_clients():
    gateway, prices = FakeGateway(), Prices()
    put_price(gateway, 1.0)
    async with running(gateway, part(prices)) as hub:
        clients = [hub.connect() for _ in range(20)]
        for client in clients:
            await hub.subscribe(client, Wish(topics=("markets.prices",)))
            await frame(hub, client)
        put_price(gateway, 2.0)
        frames = [await frame(hub, client) for client in clients]
    assert prices.drawn == 2
    assert all(f["parts"]["markets.prices"]["text"]["last-all"] == "2.0" for f in frames)


async def test_what_is_urgent_goes_out_before_anything_else_is_read_or_drawn():
    gateway = FakeGateway()
    put_price(gateway, 1.0)
    drawn: list[str] = []

    def chart(_: Snapshot, __: str) -> Patch:
        drawn.append(f"chart after {len(drawn)}")
        return Patch(text={"chart": str(len(drawn))})

    def price(snapshot: Snapshot, argument: str) -> Patch:
        drawn.append("price")
        return Prices()(snapshot, argument)

    parts = (
        LivePart(name="a.chart", sections=("quotes",), render=chart, min_interval_s=0.0),
        LivePart(name="a.price", sections=("quotes",), render=price, min_interval_s=0.0, is_urgent=True),
    )  # fmt: skip
    async with running(gateway, *parts) as hub:
        client = hub.connect()
        await hub.subscribe(client, Wish(topics=("a.chart", "a.price")))
        await frame(hub, client)
        drawn.clear()
        put_price(gateway, 2.0)
        first, second = await frame(hub, client), await frame(hub, client)
    assert drawn[:2] == ["price", "chart after 1"]
    assert list(first["parts"]) == ["a.price"]
    assert list(second["parts"]) == ["a.chart"]


async def test_what_changed_together_arrives_in_one_frame_of_one_reading():
    gateway = FakeGateway()
    put_price(gateway, 1.0)
    names = [f"markets.prices{i}" for i in range(6)]
    parts = [
        LivePart(name=name, sections=("quotes",), render=Prices(), min_interval_s=0.0)
        for name in names
    ]
    async with running(gateway, *parts) as hub:
        client = hub.connect()
        await hub.subscribe(client, Wish(topics=tuple(names)))
        await frame(hub, client)
        before = gateway.reads
        put_price(gateway, 2.0)
        second = await frame(hub, client)
        reads = gateway.reads - before
    assert set(second["parts"]) == set(names)
    assert reads == 1


async def test_what_went_out_while_a_client_subscribed_does_not_go_out_again():
    gateway = FakeGateway()
    put_price(gateway, 1.0)
    names = tuple(f"markets.prices{i}" for i in range(6))
    parts = [
        LivePart(name=name, sections=("quotes",), render=Prices(), min_interval_s=0.0)
        for name in names
    ]
    got: list[str] = []

    async def listen(hub: LiveHub, client: Any) -> None:
        while True:
            got.extend((await frame(hub, client))["parts"])

    async with running(gateway, *parts) as hub:
        for client in (hub.connect(), hub.connect()):  # the second finds everything drawn
            got.clear()
            listener = asyncio.create_task(listen(hub, client))
            await asyncio.sleep(0)
            await hub.subscribe(client, Wish(topics=names))
            await asyncio.sleep(10 * REST_S)
            listener.cancel()
            assert sorted(got) == list(names)


async def test_a_slow_client_gets_the_newest_state_only():
    gateway = FakeGateway()
    put_price(gateway, 0.0)
    async with running(gateway, part(Prices())) as hub:
        slow, quick = hub.connect(), hub.connect()
        for client in (slow, quick):
            await hub.subscribe(client, Wish(topics=("markets.prices",)))
            await frame(hub, client)
        for price in (1.0, 2.0, 3.0):
            put_price(gateway, price)
            await frame(hub, quick)
        late = await frame(hub, slow)
        assert len(slow.pending) == 0
    assert late["parts"]["markets.prices"]["text"]["last-all"] == "3.0"


async def test_a_reconnecting_client_gets_nothing_that_it_has():
    gateway = FakeGateway()
    put_price(gateway, 1.0)
    async with running(gateway, part(Prices())) as hub:
        wish = Wish(topics=("markets.prices",))
        first = json.loads(await hub.fetch(wish))
        again = Wish(topics=wish.topics, since=first["v"], epoch=first["epoch"])
        same = json.loads(await hub.fetch(again))
        other_life = json.loads(
            await hub.fetch(Wish(topics=wish.topics, since=first["v"], epoch="other"))
        )
    assert same["parts"] == {}
    assert other_life["parts"] == first["parts"] != {}


async def test_a_topic_passes_its_argument_and_fills_the_section_name():
    gateway = FakeGateway()
    put_price(gateway, 1.0)
    by_symbol = LivePart(name="markets.chart", sections=("bars:{arg}", "quotes"), render=Prices())
    assert by_symbol.section_names("AAPL:1D") == ("bars:AAPL", "quotes")
    async with running(gateway, by_symbol) as hub:
        got = json.loads(await hub.fetch(Wish(topics=("markets.chart:AAPL:1D",))))
    assert got["parts"]["markets.chart:AAPL:1D"]["text"] == {"last-AAPL:1D": "1.0"}


async def test_a_failing_part_shows_its_error_and_leaves_the_others_alone(caplog):
    gateway, broken, sound = FakeGateway(), Prices(), Prices()
    broken.error = RuntimeError("no such column")
    put_price(gateway, 1.0)
    other = LivePart(name="risk.gauges", sections=("quotes",), render=sound, min_interval_s=0.0)
    with caplog.at_level(logging.ERROR, "dashboard.live"):
        async with running(gateway, part(broken), other) as hub:
            client = hub.connect()
            await hub.subscribe(client, Wish(topics=("markets.prices", "risk.gauges")))
            first = await frame(hub, client)
            put_price(gateway, 2.0)
            second = await frame(hub, client)
            broken.error = None
            put_price(gateway, 3.0)
            healed = await frame(hub, client)
    assert first["parts"]["markets.prices"] == {"error": "RuntimeError: no such column"}
    assert second["parts"]["risk.gauges"]["text"]["last-all"] == "2.0"
    assert healed["parts"]["markets.prices"]["text"]["last-all"] == "3.0"
    assert len(caplog.records) == 1, "the same error is logged once"


async def test_a_slow_part_does_not_hold_up_the_others():
    gateway = FakeGateway()
    put_price(gateway, 1.0)
    import threading

    gate = threading.Event()

    def slowly(snapshot: Snapshot, argument: str) -> Patch:
        gate.wait(5)
        return Patch(text={"slow": "done"})

    heavy = LivePart(name="lab.result", sections=("quotes",), render=slowly, is_slow=True)
    async with running(gateway, part(Prices()), heavy) as hub:
        client = hub.connect()
        waiting = asyncio.create_task(
            hub.subscribe(client, Wish(topics=("markets.prices", "lab.result")))
        )
        quick = json.loads(await asyncio.wait_for(hub.fetch(Wish(topics=("markets.prices",))), 2))
        gate.set()
        await waiting
        both = await frame(hub, client)
    assert quick["parts"]["markets.prices"]["text"]["last-all"] == "1.0"
    assert both["parts"]["lab.result"]["text"] == {"slow": "done"}


async def test_an_unknown_topic_is_named():
    async with running(FakeGateway()) as hub:
        got = json.loads(await hub.fetch(Wish(topics=("no.such",))))
    assert got["unknown"] == ["no.such"]


async def test_nothing_is_drawn_that_nobody_looks_at():
    gateway, prices = FakeGateway(), Prices()
    async with running(gateway, part(prices)) as hub:
        client = hub.connect()
        await hub.subscribe(client, Wish(topics=("markets.prices",)))
        await frame(hub, client)
        hub.disconnect(client)
        for channel in hub._channels.values():
            channel.kept_until = float("-inf")
        put_price(gateway, 2.0)
        await hub._look()
        put_price(gateway, 3.0)
        await hub._look()
        assert hub._channels == {}
    assert prices.drawn == 1


async def test_the_hub_takes_so_many_clients_and_no_more():
    async with running(FakeGateway(), max_clients=2) as hub:
        first = hub.connect()
        hub.connect()
        with pytest.raises(HubFullError):
            hub.connect()
        hub.disconnect(first)
        assert hub.connect() is not None


async def test_stopping_lets_the_gateway_go():
    gateway = FakeGateway()
    async with running(gateway):
        assert gateway.n_listeners == 1
    assert gateway.n_listeners == 0


async def test_a_change_in_the_moment_of_stopping_does_not_keep_the_hub_alive():
    hub = LiveHub(FakeGateway(), (part(Prices()),), now=lambda: 0.0)
    await hub.start()
    await asyncio.sleep(10 * REST_S)  # it waits for a change
    hub._changed.set()
    async with asyncio.timeout(5):
        await hub.stop()


async def test_a_hub_can_be_started_again():
    gateway = FakeGateway()
    hub = LiveHub(gateway, (part(Prices()),), now=lambda: 0.0)
    for price in (1.0, 2.0):
        put_price(gateway, price)
        await hub.start()
        got = json.loads(await hub.fetch(Wish(topics=("markets.prices",))))
        await hub.stop()
        assert got["v"] >= 1


@pytest.mark.parametrize(
    "text",
    [
        "no json",
        "[]",
        "[" * 9000,
        '{"topics": "frame.bar"}',
        '{"topics": ["<script>"]}',
        '{"topics": ["a.b"], "since": "x"}',
        '{"topics": [' + ",".join(['"a.b"'] * 65) + "]}",
        '{"topics": ["a.b:' + "x" * 100 + '"]}',
        "x" * 20_000,
    ],
)
async def test_a_senseless_wish_is_refused(text: str):
    with pytest.raises(InvalidValueError):
        Wish.from_text(text)


async def test_a_sensible_wish_is_read():
    wish = Wish.from_text('{"topics": ["markets.chart:BRK.B:1D"], "since": 4, "epoch": "ab"}')
    assert wish == Wish(topics=("markets.chart:BRK.B:1D",), since=4, epoch="ab")


async def test_a_flood_of_topics_leaves_others_their_turn():
    turns = []

    async def bystander() -> None:
        while True:
            turns.append(1)
            await asyncio.sleep(0)

    gateway = FakeGateway()
    async with running(gateway, part(Prices())) as hub:
        client = hub.connect()
        task = asyncio.create_task(bystander())
        await asyncio.sleep(0)
        before = len(turns)
        topics = tuple(f"markets.prices:S{n}" for n in range(64))
        await hub.subscribe(client, Wish(topics=topics))
        task.cancel()
    assert len(turns) - before >= 60


async def test_topics_that_nobody_looks_at_are_forgotten_before_any_is_refused(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("dashboard.live.MAX_CHANNELS", 4)
    gateway = FakeGateway()
    put_price(gateway, 1.0)
    async with running(gateway, part(Prices())) as hub:
        client = hub.connect()
        await hub.subscribe(client, Wish(topics=("markets.prices:A", "markets.prices:B")))
        for n in range(20):
            await hub.fetch(Wish(topics=(f"markets.prices:S{n}",)))
        assert set((await frame(hub, client))["parts"]) == {"markets.prices:A", "markets.prices:B"}
        others = tuple(f"markets.prices:T{n}" for n in range(3))
        with pytest.raises(HubFullError):
            await hub.subscribe(hub.connect(), Wish(topics=others))


async def test_a_fetched_topic_is_not_drawn_again_until_it_is_fetched_again():
    gateway, prices = FakeGateway(), Prices()
    put_price(gateway, 1.0)
    async with running(gateway, part(prices)) as hub:
        await hub.fetch(Wish(topics=("markets.prices",)))
        for price in (2.0, 3.0):
            put_price(gateway, price)
            await asyncio.sleep(0.12)
        assert prices.drawn == 1
        last = json.loads(await hub.fetch(Wish(topics=("markets.prices",))))
    assert last["parts"]["markets.prices"]["text"] == {"last-all": "3.0"}


async def test_a_client_that_leaves_while_it_subscribes_is_forgotten_everywhere():
    gateway = FakeGateway()
    async with running(gateway, part(Prices())) as hub:
        client = hub.connect()
        wish = Wish(topics=tuple(f"markets.prices:S{n}" for n in range(10)))
        task = asyncio.create_task(hub.subscribe(client, wish))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        hub.disconnect(client)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert not any(client in channel.clients for channel in hub._channels.values())
