"""Tokens: contrast is computed, the style sheet says what the table says, nothing is fetched from elsewhere."""

import re
from itertools import product
from pathlib import Path

import pytest

from dashboard.components.icons import ICONS
from dashboard.theme import GRAPHICS, SOFT_OPACITY, SURFACES, TEXTS, TOKENS, Theme, blend, contrast

ASSETS = Path(__file__).parents[2] / "assets"
TOKENS_CSS = (ASSETS / "00-tokens.css").read_text(encoding="utf-8")
SELECTED_OPACITY = {"crit": 0.04, "warn": 0.08}
"""As `.ph-selected` says in 30-components.css."""


def block(theme):
    selector = re.escape(f'[data-bs-theme="{theme.value}"]')
    return dict(
        re.findall(
            r"(--[\w-]+): ([^;]+);",
            re.search(selector + r" \{(.*?)\n\}", TOKENS_CSS, re.DOTALL).group(1),
        )
    )


@pytest.mark.parametrize(("theme", "name", "surface"), list(product(Theme, TEXTS, SURFACES)))
def test_text_is_readable_on_every_surface(theme, name, surface):
    assert contrast(TOKENS[theme][name], TOKENS[theme][surface]) >= 4.5


@pytest.mark.parametrize(("theme", "name", "surface"), list(product(Theme, GRAPHICS, ("s1", "s2"))))
def test_outlines_and_arcs_can_be_told_from_panel_and_inset(theme, name, surface):
    assert contrast(TOKENS[theme][name], TOKENS[theme][surface]) >= 2.995


@pytest.mark.parametrize("theme", Theme)
def test_text_on_a_filled_button_is_readable(theme):
    colours = TOKENS[theme]
    assert contrast(colours["on-acc"], colours["acc"]) >= 4.5
    assert contrast(colours["on-crit"], colours["crit"]) >= 4.5


@pytest.mark.parametrize(
    ("theme", "name"), list(product(Theme, ("acc", "up", "dn", "warn", "crit")))
)
def test_a_pill_is_readable_on_a_panel_and_in_a_selected_row(theme, name):
    colours, opacity = TOKENS[theme], SOFT_OPACITY[theme]
    on_panel = blend(colours[name], opacity[name], colours["s1"])
    row = blend(colours["acc"], opacity["acc"], colours["s1"])
    in_row = blend(colours[name], SELECTED_OPACITY.get(name, opacity[name]), row)
    assert contrast(colours[name], on_panel) >= 4.5
    assert contrast(colours[name], in_row) >= 4.5


@pytest.mark.parametrize(("theme", "share"), list(product(Theme, (0.0, 0.5, 0.95, 1.0))))
def test_a_number_on_the_map_of_correlations_is_readable_however_strong(theme, share):
    css = (ASSETS / "30-components.css").read_text(encoding="utf-8")
    weakened = re.search(
        r"\.ph-heat-against \{ --ph-ink: color-mix\(in srgb, var\(--ph-up\) (\d+)%, var\(--ph-s2\)\)",
        css,
    )
    colours = TOKENS[theme]
    against = blend(colours["up"], int(weakened.group(1)) / 100, colours["s2"])
    for ink in (colours["heat"], against):
        assert contrast(colours["tx"], blend(ink, share, colours["s2"])) >= 4.5


def test_the_selected_rows_fills_are_those_of_the_style_sheet():
    css = (ASSETS / "30-components.css").read_text(encoding="utf-8")
    rule = re.search(
        r"\.ph-selected,\s*\[aria-selected=\"true\"\] \{(.*?)\}", css, re.DOTALL
    ).group(1)
    found = {
        name: int(share) / 100
        for name, share in re.findall(
            r"--ph-(\w+)-s: color-mix\(in srgb, var\(--ph-\w+\) (\d+)%", rule
        )
    }
    assert found == SELECTED_OPACITY


def test_contrast_would_notice_a_colour_that_is_too_dim():
    assert contrast("#5E6B7C", TOKENS[Theme.DARK]["s3"]) < 3


@pytest.mark.parametrize("theme", Theme)
def test_the_style_sheet_says_what_the_table_says(theme):
    written = block(theme)
    assert {name: written[f"--ph-{name}"] for name in TOKENS[theme]} == dict(TOKENS[theme])
    for name, opacity in SOFT_OPACITY[theme].items():
        channels = " ".join(str(int(TOKENS[theme][name][i : i + 2], 16)) for i in (1, 3, 5))
        assert written[f"--ph-{name}-s"] == f"rgb({channels} / {opacity:.0%})"


def test_both_themes_define_the_same_names():
    assert block(Theme.DARK).keys() == block(Theme.LIGHT).keys()


def test_every_token_that_a_style_sheet_reads_is_defined():
    sheets = "".join(
        path.read_text(encoding="utf-8")
        for path in ASSETS.glob("*.css")
        if "bootstrap" not in path.name
    )
    sources = "".join(
        path.read_text(encoding="utf-8") for path in (ASSETS.parent / "dashboard").rglob("*.py")
    )
    defined = set(re.findall(r"(--ph-[\w-]+)\s*:", sheets)) | set(
        re.findall(r"(--ph-[\w-]+)", sources)
    )
    read = set(re.findall(r"var\((--ph-[\w-]+)\)", sheets))
    assert read <= defined


def test_no_asset_reaches_for_another_server():
    for path in [*ASSETS.glob("*.css"), *ASSETS.glob("*.js")]:
        text = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert "@import" not in text, path.name
        assert not re.search(r"(?:url\(\s*[\"']?|fetch\(\s*[\"']|src=[\"'])(?:https?:)?//", text), (
            path.name
        )


def test_every_font_that_is_named_is_there():
    files = re.findall(r'url\("(fonts/[^"]+)"\)', TOKENS_CSS)
    assert len(files) >= 4
    assert all((ASSETS / name).is_file() for name in files)


def test_icons_shipped_and_icons_named_are_the_same():
    css = (ASSETS / "05-icons.css").read_text(encoding="utf-8")
    assert set(re.findall(r"^\.ph-i-([\w-]+) \{", css, re.MULTILINE)) == ICONS


def test_the_notice_names_every_vendored_font():
    notice = (ASSETS / "NOTICE.md").read_text(encoding="utf-8")
    assert all(path.name in notice for path in (ASSETS / "fonts").iterdir())
