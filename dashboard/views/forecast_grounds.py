"""What a forecast rests on: its fit, and what is the level's own: experts, regime, analogues, stress."""

from dataclasses import dataclass

from dashboard import formatting as fmt
from dashboard.views.agent_states import milliseconds
from dashboard.views.forecast_chart import N_ANALOGUES
from engine.domain.forecast import Forecast


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """A day that looked like this one."""

    day: str
    distance: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """What stands under the chart.

    Parameters
    ----------
    facts : tuple of (name, value)
    weights : tuple of (name, share, text)
        Level 3's experts, largest first.
    stressed : float or None
        Level 4: chance that the next bar is of the stressed regime.
    alike : tuple of Likeness
        Level 5, nearest first.
    """

    facts: tuple[tuple[str, str], ...]
    weights: tuple[tuple[str, float, str], ...]
    stressed: float | None
    stressed_words: str
    alike: tuple[Likeness, ...]
    stress: str
    note: str


NONE = Grounds(
    facts=(), weights=(), stressed=None, stressed_words="", alike=(), stress="", note=""
)  # fmt: skip


def grounds_view(forecast: Forecast | None) -> Grounds:
    """Return what a forecast rests on; nothing while there is none."""
    if forecast is None:
        return NONE
    drift = (
        f"{fmt.percent(forecast.drift_per_step, 3, signed=True)} ± "
        f"{fmt.percent(forecast.drift_error_per_step, 3)}"
    )
    facts = (
        ("Fit", forecast.fit or f"{fmt.count(forecast.n_observations)} returns"),
        ("Drift a bar", drift),
        ("Volatility a bar", fmt.percent(forecast.sigma_per_step)),
        ("Computed in", milliseconds(forecast.compute_ms)),
        ("Seed", str(forecast.seed)),
    )
    return Grounds(
        facts=facts,
        weights=_weights(forecast),
        stressed=forecast.stressed,
        stressed_words=_regime(forecast.stressed),
        alike=tuple(
            Likeness(day=fmt.date(each.ended_at), distance=fmt.number(each.distance))
            for each in forecast.analogues[:N_ANALOGUES]
        ),
        stress=_stress(forecast.stress_weight),
        note=forecast.note,
    )


def _weights(forecast: Forecast) -> tuple[tuple[str, float, str], ...]:
    ordered = sorted(forecast.weights, key=lambda pair: -pair[1])
    rounded = fmt.round_to_sum([weight for _, weight in ordered], 2)
    return tuple(
        (name.replace("_", " "), weight, fmt.weight(weight))
        for (name, _), weight in zip(ordered, rounded, strict=True)
    )


def _regime(stressed: float | None) -> str:
    if stressed is None:
        return ""
    name = "stressed" if stressed >= 0.5 else "calm"  # noqa: PLR2004 -- even
    return f"next bar {name}: calm {fmt.share(1 - stressed)}, stressed {fmt.share(stressed)}"


def _stress(weight: float | None) -> str:
    if weight is None:
        return ""
    return f"stress mixed in: {fmt.share(weight)} of the paths; the fan is drawn without them"
