"""A comparison in words: its finding, its warnings, its tables. A comparative needs an interval that backs it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pokeopt.ablation.predicates import FEWEST_SEEDS
from pokeopt.report.blocks import Block, Cell, Column, Section, Table, Text, cells, present, simple_table
from pokeopt.report.words import (
    ABSENT,
    alike,
    capital,
    common_digits,
    digits_for,
    duration,
    interval,
    joined,
    level_text,
    metric_name,
    number,
    p_value,
    plain,
    plural,
)

if TYPE_CHECKING:
    from pokeopt.report.compare import ArmPair, Comparison, Side
    from pokeopt.report.confirmed import AblationSummary
    from pokeopt.report.differences import Difference

MOST_ROWS = 30  # of a table that is not folded


def finding_of(found: Comparison) -> tuple[str, ...]:
    """Return the sentences that the numbers back."""
    return (*_of_arms(found), *_of_bests(found))


def warnings_of(
    found: Comparison, confirms: tuple[AblationSummary | None, AblationSummary | None]
) -> tuple[str, ...]:
    """Return what makes two studies less comparable than they look."""
    a, b = found.sides
    lines = []
    if a.metric != b.metric:
        lines.append(
            f"Their objectives differ: {a.metric} and {b.metric}. Scores of one say nothing of the other's."
        )
    if a.data_hash and b.data_hash and a.data_hash != b.data_hash:
        lines.append("They were run on different images or labels: a difference may be the data's.")
    if a.code_version and b.code_version and a.code_version != b.code_version:
        lines.append(
            f"They were run by different versions of the code: {a.code_version} and {b.code_version}."
        )
    if confirms[0] is not None and confirms[1] is not None and not found.metric:
        lines.append(
            f"Their arms are measured by {confirms[0].metric} and {confirms[1].metric}, so none is compared."
        )
    loose = [pair.label for pair in found.arms if not pair.difference.is_paired]
    if loose:
        names = joined(f"“{name}”" for name in loose)
        lines.append(
            f"Compared without pairs: {names}. {_why_unpaired(found)}, so the interval is Welch's: what a seed does "
            "to both is not taken out."
        )
    return tuple(lines)


def _why_unpaired(found: Comparison) -> str:
    a, b = found.sides
    if a.seeds and b.seeds and not set(a.seeds) & set(b.seeds):
        return "The studies have no seed in common"
    return "Their runs have no seed in common, or a seed draws other data in the one study than in the other"


def difference_text(found: Difference, digits: int | None = None) -> str:
    """Return a difference with its interval."""
    digits = digits_for(found.sd, found.mean) if digits is None else digits
    text = number(found.mean, digits, sign=True)
    if found.is_paired and found.n[0] > 1 and found.sd == 0:
        return f"{text}, {alike(found.n[0])}"
    return f"{text} {interval(found.low, found.high, digits, sign=True)}".strip()


def basis_text(found: Difference) -> str:
    """Return how many runs a difference rests on, and how they were compared."""
    if found.is_paired:
        return f"{plural(found.n[0], 'common seed')}, paired"
    return f"{found.n[0]} and {plural(found.n[1], 'run')}, unpaired"


def comparison_section(found: Comparison, id_: str = "comparison") -> Section:
    """Return the comparison as a part of a page."""
    a, b = found.sides
    intro = f"Every difference is {b.name} minus {a.name}."
    blocks: tuple[Block | None, ...] = (
        Text(found.finding),
        Text((intro, *found.warnings)),
        _arms_table(found, f"{id_}-arms") if found.arms else None,
        _sides_table(found, f"{id_}-studies"),
        _settings_table(found, f"{id_}-settings"),
        _params_table(found, f"{id_}-best"),
    )
    return Section(id_, f"Comparison: {a.name} and {b.name}", present(blocks))


def _of_arms(found: Comparison) -> Iterator[str]:
    if not found.arms:
        return
    metric, (_, b) = metric_name(found.metric), found.sides
    equal = [pair for pair in found.arms if pair.is_equal]
    if equal:
        names = joined(f"“{pair.label}”" for pair in equal)
        yield f"At every common seed {metric} is equal for {names}."
    if settled := [pair for pair in found.arms if pair.is_settled]:
        clauses = [f"“{pair.label}” by {_size(pair)} ({basis_text(pair.difference)})" for pair in settled]
        higher = [c for c, pair in zip(clauses, settled, strict=True) if (pair.difference.mean or 0) > 0]
        lower = [c for c, pair in zip(clauses, settled, strict=True) if (pair.difference.mean or 0) < 0]
        for way, some in (("higher", higher), ("lower", lower)):
            if some:
                yield f"{capital(metric)} is {way} in {b.name} for {joined(some)}."
    if rest := [pair for pair in found.arms if not pair.is_settled and pair not in equal]:
        told = [
            f"{difference_text(pair.difference)}; {basis_text(pair.difference)}{_floor(pair.difference)}"
            for pair in rest
        ]
        clauses = [f"“{pair.label}” ({text})" for pair, text in zip(rest, told, strict=True)]
        yield f"Not settled {'is' if len(rest) == 1 else 'are'} {joined(clauses)}."


def _floor(found: Difference) -> str:
    """Say what keeps a difference of two runs open, where its interval alone would not."""
    is_short = found.excludes_zero and min(found.n) < FEWEST_SEEDS
    return f"; a verdict needs {FEWEST_SEEDS}" if is_short else ""


def _size(pair: ArmPair) -> str:
    """Return an effect without its sign: the word before it has the direction."""
    found = pair.difference
    digits = digits_for(found.sd, found.mean)
    low, high = sorted((abs(found.low or 0.0), abs(found.high or 0.0)))
    return f"{number(abs(found.mean or 0.0), digits)} {interval(low, high, digits)}"


def _of_bests(found: Comparison) -> Iterator[str]:
    a, b = found.sides
    if a.best is None or b.best is None or a.metric != b.metric:
        return
    told = [f"trial {side.best} of {side.name} {_score_text(side)}" for side in (a, b)]
    yield f"The best trials are {joined(told)}; each was chosen by {metric_name(a.metric)} among its study's trials."
    if found.bests is None:
        yield "One run each: which of the two configurations scores higher is not decided by this."
        return
    text = f"{difference_text(found.bests)} {metric_name(a.test_metric)} ({basis_text(found.bests)})"
    verdict = "the interval excludes 0" if found.bests.excludes_zero else "not settled"
    yield f"Over the networks that each of them trained the difference is {text}: {verdict}."


def _score_text(side: Side) -> str:
    if side.test_value is not None:
        return f"({number(side.test_value)} {metric_name(side.test_metric)})"
    return f"({number(side.best_value)} {metric_name(side.metric)})"


def _arms_table(found: Comparison, id_: str) -> Table:
    a, b = found.sides
    columns = (
        Column("Arm", is_number=False),
        Column("Configuration", is_number=False),
        Column(a.name, note="mean ± SD over its seeds"),
        Column(b.name, note="mean ± SD over its seeds"),
        Column("Difference [95 % CI]", note="second minus first"),
        Column("Runs", is_number=False),
        Column("p (Holm)", note="adjusted over all rows of this table"),
    )
    levels = [level for pair in found.arms for level in pair.levels]
    digits = common_digits((level.sd for level in levels), (level.mean for level in levels))
    rows = tuple(
        cells(
            pair.label,
            "the same" if pair.is_same else "differs",
            *(Cell(level_text(level, digits) if level.n else ABSENT, level.mean) for level in pair.levels),
            Cell(
                difference_text(pair.difference), pair.difference.mean, "" if pair.is_settled else "unsettled"
            ),
            basis_text(pair.difference),
            p_value(pair.p_holm),
        )
        for pair in found.arms
    )
    both = zip(found.sides, found.unmatched, strict=True)
    alone = "; ".join(f"only in {side.name}: {joined(ids)}" for side, ids in both if ids)
    lower = " (lower is better)" if found.direction == "minimize" else ""
    caption = f"{capital(metric_name(found.metric))} of the arms that both studies have{lower}."
    return Table(id_, caption, columns, rows, f"{capital(alone)}." if alone else "")


def _sides_table(found: Comparison, id_: str) -> Table:
    def row(title: str, values: Sequence[str]) -> list[str]:
        return [title, *values]

    def runs(side: Side) -> str:
        return f"{side.states.get('complete', 0)} complete of {sum(side.states.values())}"

    sides = found.sides
    rows = [
        row("kind", [side.kind for side in sides]),
        row("objective", [side.metric for side in sides]),
        row("runs", [runs(side) for side in sides]),
        row("best trial", [ABSENT if side.best is None else str(side.best) for side in sides]),
        row("its objective", [number(side.best_value) for side in sides]),
        row("its score on the test part", [number(side.test_value) for side in sides]),
        row("seeds of the ablation", [", ".join(map(str, side.seeds)) or ABSENT for side in sides]),
        row("training time", [duration(side.compute_s) for side in sides]),
        row("data hash", [side.data_hash or ABSENT for side in sides]),
        row("code", [side.code_version or ABSENT for side in sides]),
    ]
    titles = ["", *(side.name for side in sides)]
    return simple_table(id_, "The two studies.", titles, rows, text_columns=3)


def _settings_table(found: Comparison, id_: str) -> Table | None:
    if not found.settings:
        return None
    rows = tuple(cells(key, plain(a), plain(b)) for key, (a, b) in found.settings.items())
    columns = tuple(Column(t, is_number=False) for t in ("Setting", *(side.name for side in found.sides)))
    caption = "Settings that differ, defaults included."
    fold = f"{caption} {plural(len(rows), 'row')}" if len(rows) > MOST_ROWS else ""
    return Table(id_, caption, columns, rows, fold=fold)


def _params_table(found: Comparison, id_: str) -> Table | None:
    a, b = (side.best_params for side in found.sides)
    if not a or not b:
        return None
    keys = [*a, *(key for key in b if key not in a)]
    rows = tuple(cells(key, plain(a.get(key)), plain(b.get(key))) for key in keys)
    columns = tuple(Column(t, is_number=False) for t in ("Parameter", *(side.name for side in found.sides)))
    return Table(id_, "Parameters of the two best trials.", columns, rows)
