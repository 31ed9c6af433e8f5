"""The report card: grades by hand, intervals that hold what they say, nothing told before n = 20."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from dashboard.views.forecast_place import Place
from dashboard.views.intervals import expected_counts, wilson
from dashboard.views.report_card import axis_of, cards_of, grade_of, report_view, skill_of
from engine.domain.sections import CardSection
from engine.kernels.calibration import share_of
from tests.dashboard import forecasts as f
from tests.dashboard.samples import SampleGateway, sample_values

PLACE = Place(symbol="AAPL", level=3)


def read(section):
    return SampleGateway(sample_values() | {"card:AAPL": section}).read(None)


@pytest.mark.parametrize(("shares", "letter"), [
    ((0.50, 0.80, 0.90, 0.95), "A"), ((0.43, 0.80, 0.90, 0.95), "B"), ((0.38, 0.70, 0.9, 0.95), "C"),
    ((0.30, 0.60, 0.7, 0.80), "D"),
])  # fmt: skip
def test_a_grade_counts_the_bands_that_hold_their_target(shares, letter) -> None:
    assert grade_of(f.level_card(2, 1, 250, shares)) == letter


def test_below_twenty_there_is_no_grade() -> None:
    assert grade_of(f.level_card(2, 20, 19, (0.5, 0.8, 0.9, 0.95))) is None
    assert grade_of(f.level_card(2, 20, 20, (0.5, 0.8, 0.9, 0.95))) == "A"


@given(st.integers(1, 250), st.data())
def test_the_interval_is_the_kernels_own(n, data) -> None:
    k = data.draw(st.integers(0, n))
    theirs = share_of(k, n)
    assert wilson(k, n) == pytest.approx((theirs.lower, theirs.upper), abs=1e-6)


@given(st.integers(1, 250))
def test_the_strip_holds_what_is_expected(n) -> None:
    low, high = expected_counts(n, 0.1)
    assert (low, high) == tuple(map(int, stats.binom.interval(0.95, n, 0.1)))


def test_a_miss_is_told_by_shape_and_words() -> None:
    view = report_view(read(f.cards()), PLACE)
    missed = {(x.level, k) for x in view.levels for k, c in enumerate(x.covers) if not c.is_met}
    assert missed == {(2, 0), (5, 0), (5, 1)}
    assert view.levels[1].covers[0].words.endswith("n = 250: misses its target")


def test_every_interval_lies_on_its_axis() -> None:
    cards = cards_of(read(f.cards()), "AAPL")
    for horizon in f.COUNTS:
        view = report_view(read(f.cards()), replace(PLACE, card=horizon))
        for level in view.levels:
            for cover in level.covers:
                assert -1e-9 <= cover.low_at <= cover.at <= cover.high_at <= 1 + 1e-9
        assert axis_of(cards, horizon, 0)[0] < 0.5 < axis_of(cards, horizon, 0)[1]


def test_the_verdict_is_as_flat_about_bad_as_about_good() -> None:
    one = report_view(read(f.cards()), PLACE).verdict
    assert one == "No level beats level 1 at 1 d. At 5 d level 2 beats level 1: +2.6%, t −2.3."
    five = report_view(read(f.cards()), replace(PLACE, card=5)).verdict
    assert five == "At 5 d level 2 beats level 1: +2.6%, t −2.3."
    assert report_view(read(f.cards()), replace(PLACE, card=20)).verdict.startswith(
        "At 20 d n = 12, not enough yet."
    )


def test_a_lead_within_chance_says_so() -> None:
    cards = (f.level_card(2, 1, 250, f.SHARES[2], crps=0.0119, dm_t=-0.8),)
    view = report_view(read(CardSection(cards=cards)), PLACE)
    assert view.verdict == "At 1 d level 2 leads: +0.8%, within chance (t −0.8)."


def test_rehearsed_forecasts_are_counted_apart_and_the_walk_is_shown() -> None:
    view = report_view(read(f.cards(n_walked=120)), PLACE)
    assert view.remark == (
        "1 d ahead, up to n = 250 settled a level, up to 232 of these rehearsed on history"
    )
    assert (view.walked, view.walked_words) == (0.48, "walking back 120 of 250")
    assert report_view(read(f.cards()), PLACE).walked is None


def test_the_detector_is_heard() -> None:
    view = report_view(read(f.cards()), PLACE)
    assert view.faults == ("Level 5: bands too narrow: 38% inside the 50% band",)


def test_nothing_settled_is_nothing_told() -> None:
    view = report_view(read(CardSection()), PLACE)
    assert not view.is_known
    assert {x.pit for x in view.levels} == {None}
    assert {x.skill.text for x in view.levels} == {"–"}
    assert view.verdict == "At 1 d n = 0, not enough yet."
    assert skill_of(f.level_card(2, 1, 0, (0, 0, 0, 0))) is None


def test_tenths_outside_the_strip_are_counted() -> None:
    card = f.level_card(3, 1, 100, f.SHARES[3], pit_counts=(40, 2, 8, 8, 8, 8, 8, 8, 5, 5))
    pit = report_view(read(CardSection(cards=(card,))), PLACE).levels[2].pit
    assert pit.n_out == 2
    assert pit.words.endswith("that each tenth of a calibrated forecast stays in 95 times of 100")


def test_a_tenth_is_as_high_as_its_share_of_the_highest_thing_drawn() -> None:
    counts = (40, 2, 8, 8, 8, 8, 8, 8, 5, 5)
    card = f.level_card(3, 1, 100, f.SHARES[3], pit_counts=counts)
    pit = report_view(read(CardSection(cards=(card,))), PLACE).levels[2].pit
    assert pit.heights == tuple(count / 40 for count in counts)
    assert pit.strip == pytest.approx((pit.low / 40, (pit.high - pit.low) / 40))
    assert pit.even_at == 10 / 40
    assert pit.ticks == (
        ("0", 0),
        (str(pit.low), pit.low / 40),
        (str(pit.high), pit.high / 40),
    )


@pytest.mark.parametrize(("skills", "zero"), [
    ((-0.01, -0.02), 0.8), ((0.01, 0.02), 0.25), ((-0.01, 0.02), 0.5),
])  # fmt: skip
def test_bars_of_skill_start_at_zero_and_are_as_long_as_the_skill(skills, zero) -> None:
    cards = [f.level_card(1, 1, 100, f.SHARES[1], crps=0.012)]
    cards += [
        f.level_card(level, 1, 100, f.SHARES[level], crps=0.012 * (1 - skill))
        for level, skill in zip((2, 3), skills, strict=True)
    ]
    view = report_view(read(CardSection(cards=tuple(cards))), PLACE)
    assert view.zero == zero
    assert view.levels[0].bar is None, "level 1 is the reference"
    assert view.levels[3].bar is None, "nothing is known of level 4"
    for skill, level in zip(skills, view.levels[1:3], strict=True):
        side = zero if skill < 0 else 1 - zero
        length = abs(skill) / 0.02 * side * 0.72
        ends = (zero - length, zero) if skill < 0 else (zero, zero + length)
        assert (level.bar.start, level.bar.end) == pytest.approx(ends)
        assert level.bar.is_worse == (skill < 0)


def test_a_skill_near_nothing_is_not_blown_up() -> None:
    card = f.level_card(2, 1, 100, f.SHARES[2], crps=0.012 * (1 - 0.0005))
    bar = report_view(read(CardSection(cards=(card,))), PLACE).levels[1].bar
    assert bar.end - bar.start == pytest.approx(0.1 * 0.75 * 0.72)
