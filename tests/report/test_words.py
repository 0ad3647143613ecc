"""Numbers and names as a reader wants them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pokeopt.ablation import Effect, Level
from pokeopt.report.words import (
    MOST_DIGITS,
    alike_note,
    axis_name,
    bare_name,
    cell_text,
    column_digits,
    common_digits,
    digits_for,
    duration,
    effect_digits,
    effect_text,
    joined,
    level_digits,
    level_text,
    lower_note,
    metric_name,
    number,
    p_value,
    plain,
    plural,
    quantity,
    size_text,
    unit_of,
)


@pytest.mark.parametrize(
    ("noise", "digits"),
    [(None, 3), (0.0, 3), (0.2, 2), (0.02, 3), (0.0123, 3), (0.004, 4), (1e-9, 4), (30.0, 2)],
)
def test_digits_show_two_figures_of_the_noise(noise: float | None, digits: int) -> None:
    assert digits_for(noise) == digits


def test_a_small_number_keeps_its_figures_and_its_noise() -> None:
    """An error of 0.004 is not 0.004 to three decimals and nothing else."""
    assert digits_for(0.00006, 0.0043) == 6
    assert digits_for(1e-12, 0.0043) == 6  # four figures are enough
    assert digits_for(None, 0.0043) == 4
    assert digits_for(1e-12, 1e-7) == MOST_DIGITS
    assert number(0.0043) == "0.00430"
    assert level_text(Level(5, 0.004335, 0.00006, 0.1, 0.2)) == "0.004335 ± 0.000060"
    assert column_digits([0.0029, 0.0042, 0.3]) == 5
    assert column_digits([0.1, 0.8, 0.9]) == column_digits([]) == column_digits([0.0, None]) == 3


def test_axes_have_units() -> None:
    assert axis_name("val/psnr") == "validation PSNR (dB)"
    assert axis_name("test/slice_mse/edge") == "test MSE of edge"
    assert axis_name("accuracy") == "accuracy"


def test_a_column_has_one_number_of_digits() -> None:
    assert common_digits([0.2, 0.02, 0.03]) == 3
    assert common_digits([None, 0.0]) == 3


def test_a_column_of_differences_has_digits_of_its_own() -> None:
    """An effect of 0.0004 beside levels of 0.2 is not 0.000."""
    levels = [Level(3, 0.2, 0.05), Level(3, 0.21, 0.06)]
    effects = [None, Effect(3, -0.00043, 0.0003, -0.00118, 0.00032)]
    assert level_digits(levels) == 3
    assert effect_text(effects[1], effect_digits(effects)) == "−0.00043 [−0.00118, +0.00032]"  # type: ignore[arg-type]


def test_counts_have_no_decimals_where_all_are_whole() -> None:
    thin = "\N{NARROW NO-BREAK SPACE}"
    alike = [Level(3, 4.0, 0.0), Level(3, 6.0, 0.0)]
    assert level_digits(alike, "cost/epochs_run") == 0
    assert level_digits(alike, "val/psnr") == 3
    assert level_digits([Level(3, 4.33, 0.58)], "cost/epochs_run") == 2
    assert level_digits([Level(3, 2.0, 1.0)], "cost/epochs_run") == 2  # its interval has decimals
    assert level_text(Level(3, 3_180_041.0, 0.0)) == f"3{thin}180{thin}041 ± 0"
    assert effect_text(Effect(3, 12_450.0, 3.2, 12_442.0, 12_458.0), 2) == (
        f"+12{thin}450 [+12{thin}442, +12{thin}458]"
    )
    assert [unit_of(name) for name in ("cost/wall_s", "cost/epochs_run", "model/n_params")] == [
        "s",
        "epochs",
        "",
    ]


def test_numbers_have_a_true_minus_and_no_signed_zero() -> None:
    assert number(-0.5) == "−0.500"
    assert number(0.5, sign=True) == "+0.500"
    assert number(-0.0001, 3, sign=True) == "0.000"
    assert number(1234567.8) == "1\N{NARROW NO-BREAK SPACE}234\N{NARROW NO-BREAK SPACE}568"
    assert number(None) == number(float("nan")) == "–"


def test_effects_and_levels() -> None:
    assert effect_text(Effect(5, 0.02, 0.01, 0.008, 0.032)) == "+0.020 [+0.008, +0.032]"
    assert effect_text(Effect(1, 0.02)) == "+0.020"
    assert effect_text(Effect(3, 0.02, 0.0)) == "+0.020, all 3 seeds alike: no interval"
    assert effect_text(Effect(2, 0.0, 0.0, 0.0, 0.0)) == "0.000, both seeds alike: no interval"
    assert cell_text(Effect(3, 0.02, 0.0), 2) == "+0.02 (alike)"
    assert alike_note([None, Effect(3, 0.02, 0.01, 0.0, 0.04)]) == ""
    assert alike_note([Effect(3, 0.02, 0.0)]).startswith("Alike: ")
    assert level_text(Level(3, 0.5, 0.01, 0.4, 0.6)) == "0.500 ± 0.010"
    assert level_text(Level(1, 0.5)) == "0.500"


def test_p_values() -> None:
    assert [p_value(p) for p in (None, 0.0001, 0.0123, 0.5, 1.0)] == ["–", "< 0.001", "0.012", "0.50", "1.00"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"),
        (0.25, "0.25 s"),
        (4.21, "4.2 s"),
        (59.4, "59 s"),
        (59.6, "1m 00s"),
        (200, "3m 20s"),
        (3960, "1h 06m"),
    ],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


def test_counts_and_values() -> None:
    assert [quantity(n) for n in (None, 7, 1200, 3_183_625)] == ["–", "7", "1.2 k", "3.18 M"]
    assert [plain(v) for v in (None, True, 1e-5, [256, 128], "relu")] == [
        "–",
        "true",
        "1e−05",
        "[256, 128]",
        "relu",
    ]


def test_metrics_and_lists() -> None:
    assert metric_name("val/macro_f1") == "validation macro-F1"
    assert metric_name("test/f1/Fighting") == "test F1 of Fighting"
    assert metric_name("accuracy") == "accuracy"
    assert [joined([]), joined(["a"]), joined("ab"), joined("abc", "or")] == ["", "a", "a and b", "a, b or c"]
    assert [plural(1, "seed"), plural(2, "seed")] == ["1 seed", "2 seeds"]


def test_a_cost_is_of_no_part() -> None:
    assert metric_name("cost/s_per_epoch") == "seconds an epoch"
    assert axis_name("cost/peak_mem_mb") == "peak memory (MB)"
    assert (bare_name("cost/epochs_run"), bare_name("val/macro_f1")) == ("epochs run", "macro-F1")


@given(st.floats(-1e-3, 1e-3), st.floats(2e-8, 1e-3), st.integers(0, 6))
def test_an_interval_is_never_shown_as_one_number(mean: float, half: float, digits: int) -> None:
    """[0.0000, 0.0000] reads as equality, which no run showed."""
    effect = Effect(5, mean, half, mean - half, mean + half, 0.5, 0.1, 0.5, 0.0)
    for text in (
        effect_text(effect, digits),
        cell_text(effect, digits),
        effect_text(effect),
        size_text(effect),
    ):
        low, high = re.findall(r"[^\[\], ]+", text.split("[")[1])
        assert low.strip("]") != high.strip("]"), text


@given(st.floats(1, 1e15))
def test_a_quantity_is_never_in_powers_of_ten(value: float) -> None:
    assert "e" not in quantity(value)


def test_a_quantity_takes_the_unit_of_what_is_shown() -> None:
    assert quantity(999_700) == "1 M"
    assert quantity(999_400) == "999 k"
    assert quantity(999.6) == "1 k"


def test_no_share_of_a_whole_is_better_low() -> None:
    assert lower_note("train/gradient_share/prior", "minimize") == ""
    assert lower_note("test/mse", "minimize") == " (lower is better)"
    assert lower_note("test/macro_f1", "maximize") == ""
