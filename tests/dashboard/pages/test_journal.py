"""The Journal page: filters, search, hold, older events, one event, export."""

import json
from dataclasses import replace

import pytest
from dash.exceptions import PreventUpdate

from dashboard.pages import journal as page
from dashboard.patches import encode_patch
from dashboard.wish import is_topic
from engine.domain.events import EventType
from engine.domain.log import EventDetail, LogRow, LogSection
from tests.dashboard.components.trees import by_id, text_of
from tests.dashboard.pages.callbacks import Recorder
from tests.dashboard.samples import NOW, SampleGateway

KEYS = ("", "orders", "risk", "ticks")
IDS = [{"type": "journal-chip", "key": key} for key in KEYS]


def event(seq: int, kind: EventType = EventType.RISK_UPDATE, meaning: str = "") -> LogRow:
    words = meaning or f"meaning {seq}"
    return LogRow(
        seq=seq,
        at=1_700_000_000.0 + seq,
        event_type=kind.value,
        source="risk",
        meaning=words,
        as_of=NOW,
    )


class JournalGateway(SampleGateway):
    """Answers "events" from a list, by the rules of EventQuery."""

    def __init__(self, n: int = 500, in_log: int = 100) -> None:
        super().__init__()
        kinds = (EventType.RISK_UPDATE, EventType.ORDER_FILLED, EventType.MARKET_DATA)
        self.kept = tuple(event(seq, kinds[seq % 3]) for seq in range(n, 0, -1))
        shown = [row for row in self.kept if row.event_type != "MARKET_DATA"][:in_log]
        self.values["log"] = LogSection(rows=tuple(shown), head=n)
        self.answers = {"events": self.events, "event_detail": self.detail}

    def events(self, types=(), text="", before_seq=None, limit=200, is_brief=False):
        names = {t.value for t in types}
        self.was_brief = is_brief
        found = (r for r in self.kept if r.event_type in names and text in r.meaning)
        return tuple(r for r in found if before_seq is None or r.seq < before_seq)[:limit]

    def detail(self, seq: int):
        row = next((r for r in self.kept if r.seq == seq), None)
        return row and EventDetail(
            row=row, fields={"symbol": "PG"}, causes=(event(1, EventType.MARKET_DATA),)
        )


@pytest.fixture
def gateway() -> JournalGateway:
    return JournalGateway()


def seqs(rows: str) -> list[int]:
    return [int(value) for _, value, _ in json.loads(rows) if value]


def show(gateway, touched, kept, text="", chosen=""):
    names = ("rows", "status", "head", "marks", "held", "kept", "topics", "here")
    recorder = Recorder(page, gateway)
    return dict(
        zip(
            names,
            recorder.call("show", [], text, 0, 0, IDS, kept, chosen, touched=touched),
            strict=True,
        )
    )


def drawn_rows(tree) -> list[int]:
    return seqs(by_id(tree, page.BODY)["props"]["data-ph-rows"])


def test_the_page_opens_live_on_the_newest(gateway: JournalGateway):
    drawn = page.layout(gateway, {})
    assert drawn_rows(drawn)[:3] == [499, 498, 496]  # 500 and 497 are ticks
    assert len(drawn_rows(drawn)) == page.N_LIVE
    assert getattr(drawn, "data-topics") == "journal.rows:all"


def test_the_address_filters_searches_and_chooses(gateway: JournalGateway):
    drawn = page.layout(gateway, {"show": "orders", "q": "meaning 4", "event": "499"})
    assert set(drawn_rows(drawn)) == {
        r.seq for r in gateway.kept if r.seq % 3 == 1 and "meaning 4" in r.meaning
    }
    assert "What caused it" in text_of(by_id(drawn, page.DETAIL))
    assert getattr(drawn, "data-ph-here") == "/journal?show=orders&q=meaning+4&event=499"
    assert getattr(drawn, "data-topics") == ""


@pytest.mark.parametrize("bad", ["-1", "x", "1.5", "", "²"])
def test_an_address_without_a_real_event_says_that_none_is_chosen(
    gateway: JournalGateway, bad: str
):
    assert "No event chosen" in text_of(page.layout(gateway, {"event": bad}))


def test_an_event_that_is_not_kept_says_so(gateway: JournalGateway):
    assert "Event #99,999 is not kept" in text_of(page.layout(gateway, {"event": "99999"}))


def test_a_filter_changes_rows_topic_marks_and_address(gateway: JournalGateway):
    seen = show(gateway, IDS[1], page.state([], ""), chosen="7")
    assert seqs(seen["rows"])[:2] == [499, 496]
    assert (seen["topics"], seen["here"]) == ("journal.rows:orders", "/journal?show=orders&event=7")
    assert seen["marks"] == ["false", "true", "false", "false"]
    both = show(gateway, IDS[2], seen["kept"])
    assert both["topics"] == "journal.rows:orders|risk"
    assert show(gateway, IDS[0], both["kept"])["marks"] == ["true", "false", "false", "false"]


def test_every_topic_has_the_form_that_the_hub_takes(gateway: JournalGateway):
    every = page.state([kind.key for kind in page.view.KINDS], "")
    assert is_topic(page.topics(every))
    assert is_topic(page.topics(page.state([], "", newest=12)))


def test_a_search_reads_the_journal_and_stands_still(gateway: JournalGateway):
    seen = show(gateway, page.SEARCH, page.state([], ""), text=" meaning 499 ")
    assert seqs(seen["rows"]) == [499]
    assert seen["status"] == "1 event with “meaning 499”. Clear the search to go live again."
    assert seen["topics"] == ""


@pytest.mark.parametrize("written", ["#123", "123"])
def test_an_event_is_found_by_the_number_that_the_list_shows(gateway: JournalGateway, written: str):
    rows, status = page._list(gateway, page.state([], written))
    assert "meaning 123" in rows
    assert status.startswith("1 event")


def test_a_number_that_is_not_kept_is_no_event(gateway: JournalGateway):
    _, status = page._list(gateway, page.state([], "#9,999"))
    assert status.startswith("No event holds")


@pytest.mark.parametrize("n_newest", [0, 3])
def test_events_of_a_kind_are_asked_of_the_journal_and_news_are_put_above_them(
    gateway: JournalGateway, n_newest: int
):
    of_log = [row for row in gateway.kept if row.event_type == "RISK_UPDATE"][:50]
    orders = [row for row in gateway.kept if row.event_type == "ORDER_FILLED"]
    gateway.values["log"] = LogSection(rows=(*orders[:n_newest], *of_log), head=500)
    rows, _ = page._list(gateway, page.state(["orders"], ""))
    assert seqs(rows) == [row.seq for row in orders[: page.N_LIVE]]
    sent = page.render_rows(gateway.read(("log",)), "orders").attrs[page.BODY]
    assert seqs(sent.pop("data-ph-newer")) == [row.seq for row in orders[:n_newest]]
    assert sent == {}, "what was given stays"


def test_a_search_without_result_says_what_to_do(gateway: JournalGateway):
    seen = show(gateway, page.SEARCH, page.state([], ""), text="nowhere")
    assert seqs(seen["rows"]) == []
    assert seen["status"].startswith("No event holds “nowhere”.")


@pytest.mark.parametrize("touched", [page.SEARCH, page.HOLD, page.OLDER])
def test_an_empty_search_says_so_offers_a_way_out_and_is_not_held(gateway, touched):
    seen = show(gateway, touched, page.state([], "nowhere"), text="nowhere")
    ((names, _, ((_, words),)),) = json.loads(seen["rows"])
    assert "ph-j-none" in names.split()
    assert words.startswith("No event holds “nowhere”.")
    assert (seen["held"], seen["topics"]) == ("false", "")
    clear = [
        part
        for part in page.layout(gateway, {})._traverse()
        if getattr(part, "data-ph-clear", "") == page.SEARCH
    ]
    assert len(clear) == 1


def test_ticks_are_shown_on_demand_and_stand_still(gateway: JournalGateway):
    seen = show(gateway, IDS[3], page.state([], ""))
    assert seqs(seen["rows"])[:2] == [500, 497]
    assert seen["topics"] == ""


def test_holding_freezes_the_list_and_counts_what_comes_later(gateway: JournalGateway):
    seen = show(gateway, page.HOLD, page.state([], ""))
    assert (seen["held"], seen["kept"]["newest"], seen["topics"]) == (
        "true",
        499,
        "journal.head:499",
    )
    gateway.values["log"] = replace(gateway.values["log"], head=510)
    patch = page.render_head(gateway.read(("log",)), "499")
    assert patch.text == {page.HEAD: "held at #499, 11 events later"}
    freed = show(gateway, page.HOLD, seen["kept"])
    assert (freed["held"], freed["topics"]) == ("false", "journal.rows:all")


def test_older_events_follow_without_gap_or_double(gateway: JournalGateway):
    first = show(gateway, page.OLDER, page.state([], ""))
    listed = seqs(first["rows"])
    wanted = [r.seq for r in gateway.kept if r.event_type != "MARKET_DATA"]
    assert listed == wanted[: page.N_LIVE + page.N_OLDER]
    assert first["held"] == "true"
    more = show(gateway, page.OLDER, first["kept"])
    assert seqs(more["rows"]) == wanted
    end = show(gateway, page.OLDER, more["kept"])
    assert seqs(end["rows"]) == wanted
    assert end["status"] == "The journal keeps nothing older of this kind."


def test_what_happens_meanwhile_does_not_move_a_lengthened_list(gateway: JournalGateway):
    first = show(gateway, page.OLDER, page.state([], ""))
    gateway.kept = (event(601), event(600), *gateway.kept)
    assert seqs(show(gateway, page.OLDER, first["kept"])["rows"])[0] == 499


def test_older_events_keep_the_filter(gateway: JournalGateway):
    seen = show(gateway, page.OLDER, page.state(["orders"], ""))
    assert {s % 3 for s in seqs(seen["rows"])} == {1}


def test_choosing_an_event_shows_its_chain_and_keeps_the_address(gateway: JournalGateway):
    shown, here = Recorder(page, gateway).call("choose", "498", page.state(["risk"], ""))
    assert "meaning 498" in text_of(shown)
    assert "this event" in text_of(shown)
    assert here == "/journal?show=risk&event=498"
    with pytest.raises(PreventUpdate):
        Recorder(page, gateway).call("choose", None, page.state([], ""))


def test_the_export_holds_what_is_listed(gateway: JournalGateway):
    kept = page.state(["orders"], "", newest=496, n_shown=30)
    found = Recorder(page, gateway).call("export", 1, kept)
    lines = found["content"].splitlines()
    assert lines[1].startswith("496,")
    assert len(lines) == 1 + sum(1 for r in gateway.kept if r.seq % 3 == 1 and r.seq <= 496)
    with pytest.raises(PreventUpdate):
        Recorder(page, gateway).call("export", 0, kept)


def test_a_list_is_brief_as_the_live_one_and_a_search_or_the_export_finds_everything(
    gateway: JournalGateway,
):
    kept = page.state([], "")
    show(gateway, page.OLDER, kept)
    assert gateway.was_brief
    show(gateway, page.SEARCH, kept, text="meaning 4")
    assert not gateway.was_brief
    show(gateway, page.OLDER, kept)
    Recorder(page, gateway).call("export", 1, kept)
    assert not gateway.was_brief


def test_live_rows_are_data_and_small(gateway: JournalGateway):
    patch = page.render_rows(gateway.read(("log",)), "orders|risk")
    assert set(patch.to_data()) == {"attrs"}
    assert len(seqs(patch.attrs[page.BODY]["data-ph-newer"])) == page.N_LIVE
    assert len(encode_patch(patch)) < 15_000
    every = page.render_rows(gateway.read(("log",)), "all").attrs[page.BODY]
    assert len(seqs(every["data-ph-rows"])) == page.N_LIVE


def test_a_new_market_day_is_parted_by_a_line_with_its_date(gateway: JournalGateway):
    earlier = replace(event(3), as_of=NOW.replace(day=25))
    rows = json.loads(page.part.rows(page.view.rows_view([event(5), event(4), earlier]), ""))
    assert [names for names, _, _ in rows] == [
        "ph-j-day",
        "ph-j-row",
        "ph-j-row",
        "ph-j-day",
        "ph-j-row",
    ]
    assert rows[0] == ["ph-j-day", "", [["", "26 Sep 2008"]]], "the newest rows have their day too"
    assert rows[3] == ["ph-j-day", "", [["", "25 Sep 2008"]]]


def test_markup_in_an_event_stays_text():
    drawn = page.part.rows(
        page.view.rows_view([event(5, meaning="<img src=x onerror=alert(1)>")]), ""
    )
    assert json.loads(drawn)[1][2][4] == ["ph-j-meaning", "<img src=x onerror=alert(1)>"]


def test_before_anything_happened_the_list_says_so():
    empty = SampleGateway({})
    body = by_id(page.layout(empty, {}), page.BODY)["props"]["data-ph-rows"]
    assert "Nothing has happened yet" in body
