"""The one transport of changes to the browser: parts are drawn and encoded once, each client gets its newest state.

A client owns no queue, only the set of topics it has not got yet: one that
reads slowly misses states in between, never grows, and never delays another.
"""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Callable, Iterable, Sequence
from time import perf_counter
from typing import Any

from dashboard.channels import Channel, Client
from dashboard.host import GatewayPort
from dashboard.page import LivePart
from dashboard.patches import encode_patch
from dashboard.wish import Wish
from engine.core.gateway import is_wanted
from engine.domain.errors import must
from engine.domain.payload import encode
from engine.domain.sections import Snapshot

MAX_CLIENTS = 512
MAX_CHANNELS = 2_048
"""Topics drawn at a time; of those that nobody looks at any more the oldest go first."""
KEEP_ALIVE_S = 2.0
REST_S = 0.01
"""Between two looks; what rings writes twenty times a second at most."""
FRAME_S = 0.02
"""A look that lasts longer sends what is drawn so far; each later drawing then goes out at once."""
LOOK_S = 1.0
"""It looks this often even when nothing rings and nothing waits for its turn."""
LEASE_S = 10.0
"""A topic that was fetched instead of subscribed stays drawn for so long."""

_log = logging.getLogger("dashboard.live")


class HubFullError(Exception):
    """As many clients are connected as the hub takes."""


class LiveHub:
    """Draws the parts that somebody looks at, when what they are drawn from has changed.

    Parameters
    ----------
    gateway : GatewayPort
        Where sections are read; it rings when they change.
    parts : iterable of LivePart
        Everything that moves; names are unique.
    now : callable
        Wall time in epoch seconds, sent with each frame so that a browser can tell ages without trusting its own clock.
    max_clients : int
        How many browser tabs it takes.
    """

    def __init__(
        self,
        gateway: GatewayPort,
        parts: Iterable[LivePart],
        *,
        now: Callable[[], float],
        max_clients: int = MAX_CLIENTS,
    ) -> None:
        self.epoch = secrets.token_hex(4)
        self.version = 0
        self._gateway = gateway
        self._parts = {part.name: part for part in parts}
        self._now = now
        self._max_clients = max_clients
        self._channels: dict[str, Channel] = {}
        self._clients: set[Client] = set()
        self._changed = asyncio.Event()
        self._next_look_s = LOOK_S
        self._looking_since: float | None = None
        self._to_ring: set[Client] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._runner: asyncio.Task[None] | None = None
        self._unsubscribe: Callable[[], None] | None = None

    @property
    def n_clients(self) -> int:
        """How many browser tabs are connected."""
        return len(self._clients)

    # -- life ------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Begin to watch the gateway; call it in the loop that serves the clients."""
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._unsubscribe = self._gateway.on_change(self._ring)
        self._runner = asyncio.create_task(self._run(), name="live-hub")

    async def stop(self) -> None:
        """Stop watching and let every client go."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        tasks = [task for channel in self._channels.values() if (task := channel.drawing)]
        tasks += [self._runner] if self._runner else []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._runner, self._loop = None, None

    def _ring(self, *_: object) -> None:
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(
                RuntimeError
            ):  # the loop closed between the check and the call
                loop.call_soon_threadsafe(self._changed.set)

    async def _run(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                # not wait_for: before Python 3.12 it loses a cancellation that comes together with a change
                async with asyncio.timeout(self._next_look_s):
                    await self._changed.wait()
            self._changed.clear()
            self._next_look_s = LOOK_S
            self._looking_since = perf_counter()
            try:
                await self._look()
            finally:
                self._looking_since = None
                self._ring_clients()
            await asyncio.sleep(REST_S)

    async def _look(self) -> None:
        """Redraw what changed, what is urgent first, and forget the topics that nobody wants any more."""
        moment = perf_counter()
        due = [
            channel for channel in list(self._channels.values()) if self._is_due(channel, moment)
        ]
        await self._refresh_all([channel for channel in due if channel.part.is_urgent])
        self._ring_clients()
        await asyncio.sleep(0)  # they take it now
        await self._refresh_all([channel for channel in due if not channel.part.is_urgent])

    async def _refresh_all(self, channels: Sequence[Channel]) -> None:
        snapshot = self._read_for(channels)
        for channel in channels:
            await self._refresh(channel, snapshot)
            await asyncio.sleep(0)  # others get their turn between two drawings

    def _is_due(self, channel: Channel, moment: float) -> bool:
        """Return whether somebody looks at it and it may be drawn again; forget it when nobody wants it any more."""
        if not channel.clients:
            if channel.kept_until < moment:
                self._channels.pop(channel.topic, None)
            return False  # drawn anew when it is fetched again
        early_s = channel.part.min_interval_s - (moment - channel.drawn_at)
        if early_s > 0:
            self._next_look_s = min(self._next_look_s, early_s)
        return early_s <= 0

    def _read_for(self, channels: Sequence[Channel]) -> Snapshot | None:
        """Return the sections of all `channels` in one reading, or None when each must try for itself."""
        names = dict.fromkeys(name for channel in channels for name in channel.names)
        try:
            return self._gateway.read(tuple(names)) if names else None
        except Exception as error:  # noqa: BLE001 -- fence: told for each part, by its own reading
            _log.debug("parts are read one by one: %s", error)
            return None

    # -- drawing ---------------------------------------------------------------------------------

    def _channel(self, topic: str) -> Channel | None:
        known = self._channels.get(topic)
        if known is not None:
            return known
        name, _, argument = topic.partition(":")
        part = self._parts.get(name)
        if part is None:
            return None
        channel = Channel(
            topic=topic, part=part, argument=argument, names=part.section_names(argument)
        )
        if len(self._channels) >= MAX_CHANNELS:
            self._make_room()
        self._channels[topic] = channel
        return channel

    def _make_room(self) -> None:
        """Forget the topic that was left longest ago.

        Raises
        ------
        HubFullError
            Somebody looks at every one.
        """
        left = [channel for channel in self._channels.values() if not channel.clients]
        if not left:
            raise HubFullError
        del self._channels[min(left, key=lambda channel: channel.kept_until).topic]

    async def _refresh(self, channel: Channel, read: Snapshot | None = None) -> None:
        """Draw one topic when its sections changed; a slow one in a thread, without waiting for it."""
        if channel.drawing is not None:
            return  # its end rings
        try:
            snapshot = _part_of(read, channel.names) or self._gateway.read(channel.names)
        except Exception as error:  # noqa: BLE001 -- fence: one part must not stop the others
            self._failed(channel, error)
            return
        seen = tuple(sorted((name, item.stamp.version) for name, item in snapshot.sections.items()))
        if seen == channel.seen:
            return
        channel.seen = seen
        channel.drawn_at = perf_counter()
        if channel.part.is_slow:
            channel.drawing = asyncio.create_task(self._draw_in_thread(channel, snapshot))
        else:
            self._draw(channel, snapshot)

    def _draw(self, channel: Channel, snapshot: Snapshot) -> None:
        try:
            fragment = encode_patch(channel.part.render(snapshot, channel.argument)).decode()
        except Exception as error:  # noqa: BLE001 -- fence: becomes an error patch that the page shows
            self._failed(channel, error)
            return
        channel.last_error = ""
        self._publish(channel, fragment)

    async def _draw_in_thread(self, channel: Channel, snapshot: Snapshot) -> None:
        def work() -> str:
            return encode_patch(channel.part.render(snapshot, channel.argument)).decode()

        try:
            fragment = await asyncio.to_thread(work)
        except Exception as error:  # noqa: BLE001 -- fence: becomes an error patch that the page shows
            self._failed(channel, error)
        else:
            channel.last_error = ""
            self._publish(channel, fragment)
        finally:
            channel.drawing = None
            self._changed.set()

    def _failed(self, channel: Channel, error: Exception) -> None:
        words = f"{type(error).__name__}: {error}"
        if words != channel.last_error:
            channel.last_error = words
            _log.error("live part %s did not draw", channel.topic, exc_info=error)
        self._publish(channel, encode({"error": words[:300]}).decode())

    def _publish(self, channel: Channel, fragment: str) -> None:
        if fragment == channel.fragment:
            return
        self.version += 1
        channel.fragment, channel.version = fragment, self.version
        for client in channel.clients:
            client.pending.add(channel.topic)
        self._to_ring |= channel.clients
        since = self._looking_since
        if since is None or perf_counter() - since > FRAME_S:
            self._ring_clients()

    def _ring_clients(self) -> None:
        """Let the clients fetch what is new: once per look, so that what changed together arrives in one frame."""
        for client in self._to_ring:
            client.ready.set()
        self._to_ring.clear()

    # -- clients ---------------------------------------------------------------------------------

    def connect(self) -> Client:
        """Return a new client.

        Raises
        ------
        HubFullError
            There are as many as the hub takes.
        """
        if len(self._clients) >= self._max_clients:
            raise HubFullError
        client = Client()
        self._clients.add(client)
        return client

    def disconnect(self, client: Client) -> None:
        """Forget a client."""
        self._clients.discard(client)
        self._to_ring.discard(client)
        for topic in client.topics:
            channel = self._channels.get(topic)
            if channel is not None:
                channel.clients.discard(client)
        client.topics = ()

    async def subscribe(self, client: Client, wish: Wish) -> tuple[str, ...]:
        """Give the client the topics of `wish` in place of its former ones; return those that do not exist."""
        self._check(wish)
        for topic in client.topics:
            if topic not in wish.topics and topic in self._channels:
                self._channels[topic].clients.discard(client)
        client.topics = (
            wish.topics
        )  # at once, so that a client that leaves meanwhile is forgotten everywhere
        client.pending &= set(wish.topics)
        client.joined = {}
        channels, unknown = await self._current(wish.topics, client)
        # what was drawn since it joined is pending already, or even sent
        newer = (c for c in self._newer(channels, wish) if c.version == client.joined.get(c.topic))
        client.pending |= {channel.topic for channel in newer}
        client.ready.set()
        return unknown

    async def _current(
        self, topics: Sequence[str], client: Client | None = None
    ) -> tuple[list[Channel], tuple[str, ...]]:
        channels, unknown = [], []
        for topic in topics:
            channel = self._channel(topic)
            if channel is None:
                unknown.append(topic)
                continue
            channel.kept_until = perf_counter() + LEASE_S
            channels.append(channel)
            is_old = not channel.version or not channel.clients
            if client is not None:
                client.joined[topic] = channel.version
                channel.clients.add(client)
            if is_old:
                await self._refresh(channel)
                await asyncio.sleep(0)  # others get their turn between two drawings
            if channel.drawing is not None and not channel.version:
                await asyncio.wait({channel.drawing})
        return channels, tuple(unknown)

    def _check(self, wish: Wish) -> None:
        """Refuse a wish whose browser has painted what this hub has not counted yet."""
        if wish.epoch == self.epoch and wish.since > self.version:
            rule = f"be at most {self.version}, the newest version"
            raise must("since", rule, wish.since, "send the v of the newest frame")

    def _newer(self, channels: Iterable[Channel], wish: Wish) -> list[Channel]:
        since = wish.since if wish.epoch == self.epoch else 0
        return [channel for channel in channels if channel.version > since]

    async def next_frame(self, client: Client) -> str:
        """Return what the client lacks, in its newest state; after a silence, a frame without parts."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(KEEP_ALIVE_S):
                await client.ready.wait()
        client.ready.clear()
        topics, client.pending = client.pending, set()
        return self._frame([self._channels[topic] for topic in topics if topic in self._channels])

    async def fetch(self, wish: Wish) -> str:
        """Return the same frame for a browser whose websocket cannot open."""
        self._check(wish)
        channels, unknown = await self._current(wish.topics)
        return self._frame(self._newer(channels, wish), unknown)

    def _frame(self, channels: Iterable[Channel], unknown: Sequence[str] = ()) -> str:
        head: dict[str, Any] = {"v": self.version, "epoch": self.epoch, "now": self._now()}
        if unknown:
            head["unknown"] = list(unknown)
        parts = ",".join(f"{encode(c.topic).decode()}:{c.fragment}" for c in channels if c.fragment)
        return f'{encode(head).decode()[:-1]},"parts":{{{parts}}}}}'


def _part_of(snapshot: Snapshot | None, names: tuple[str, ...]) -> Snapshot | None:
    if snapshot is None:
        return None
    found = {n: section for n, section in snapshot.sections.items() if is_wanted(n, names)}
    return Snapshot(version=snapshot.version, sections=found)
