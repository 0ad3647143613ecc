"""Figures of how a search went: who trained what when, how scores are distributed, what early epochs told."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from pokeopt.report.blocks import Figure, Table, simple_table
from pokeopt.report.summary import SearchSummary, TrialSummary
from pokeopt.report.svg import WIDTH, Scale, drawing, marker, polyline, spanning, tag, x_axis, y_axis
from pokeopt.report.thinning import rows_note, thinned, thinned_note
from pokeopt.report.words import (
    ABSENT,
    axis_name,
    capital,
    column_digits,
    duration,
    metric_name,
    number,
    plural,
)

LEFT, TOP, HEIGHT = 62, 30, 190
MOST_BARS, MOST_LANES, MOST_STEPS = 1200, 12, 300
MOST_TABLE_ROWS = 200
STATES = {"complete": "state-complete", "pruned": "state-pruned"}


def timeline(search: SearchSummary, id_: str) -> Figure | None:
    """Return when each trial was trained, by worker, or by slot where workers are many."""
    timed = [trial for trial in search.trials if trial.started_s is not None and trial.ended_s is not None]
    if not timed or max(trial.ended_s or 0.0 for trial in timed) <= 0:
        return None
    lanes, noun = _lanes(timed)
    drawn = thinned(timed, MOST_BARS, keep=lambda t: t.number in (search.best, search.baseline))
    unit, seconds = _unit(max(trial.ended_s or 0.0 for trial in timed))
    count = max(lanes.values()) + 1
    row = 22 if count <= MOST_LANES else max(4, 264 // count)
    bottom = 34 + row * count
    x = Scale(0.0, max(trial.ended_s or 0.0 for trial in timed) / seconds, LEFT, WIDTH - 10)
    parts = [x_axis(x, bottom, f"time since the first start ({unit})", top=30), _state_legend(timed)]
    for trial in drawn:
        start, end = (trial.started_s or 0.0) / seconds, (trial.ended_s or 0.0) / seconds
        look = STATES.get(trial.state, "state-lost") + (" faint" if trial.state == "complete" else "")
        look = "arm-1" if trial.number == search.best else look
        box = tag(
            "rect",
            tag("title", f"trial {trial.number}, {trial.state}: {duration(trial.ended_s - trial.started_s)}"),  # type: ignore[operator]
            x=x(start), y=34.0 + row * lanes[trial.number] + 1, width=max(0.8, x(end) - x(start) - 0.6),
            height=row - 3, class_=f"span {look}",
        )  # fmt: skip
        parts.append(box)
    if count <= MOST_LANES:
        parts += [
            tag(
                "text",
                f"{noun} {i + 1}",
                x=LEFT - 8,
                y=34 + row * (i + 0.5) + 4,
                class_="tick",
                text_anchor="end",
            )
            for i in range(count)
        ]
    svg = drawing(bottom + 42, f"{plural(len(timed), 'trial')} over time", *parts)
    busy = sum((t.ended_s or 0.0) - (t.started_s or 0.0) for t in timed)
    share = busy / (max(t.ended_s or 0.0 for t in timed) * count)
    reading = (
        f"{capital(plural(count, noun))}; a bar is a trial from start to end, blue the best. They were at work for "
        f"{round(100 * min(1.0, share))} % of the time between the first start and the last end."
    )
    reading += thinned_note(len(drawn), len(timed), "trial")
    return Figure(
        id_,
        f"When was what trained, and by which {noun}?",
        (svg,),
        reading,
        _times_table(timed, lanes, noun, id_),
    )


def distribution(search: SearchSummary, id_: str) -> Figure | None:
    """Return the share of complete trials that reached a score, for each score."""
    maximize = search.directions[0] == "maximize"
    scores = sorted(
        (trial.values[0] for trial in search.trials if trial.state == "complete" and trial.values),
        reverse=maximize,
    )
    if len(scores) < 3:
        return None
    bottom = TOP + HEIGHT
    x = spanning(scores, LEFT, WIDTH - 10)
    y = Scale(0.0, 1.0, bottom, TOP)
    steps = thinned([(score, (i + 1) / len(scores)) for i, score in enumerate(scores)], MOST_STEPS)
    points = [(x(scores[0]), y(0.0))]
    for score, share in steps:
        points += [(x(score), points[-1][1]), (x(score), y(share))]
    parts = [
        y_axis(y, LEFT, WIDTH - 10, f"share of trials at least as {'high' if maximize else 'low'}"),
        x_axis(x, bottom, axis_name(search.metrics[0])),
        polyline(points, "best-line", "share of complete trials"),
    ]
    marks = []
    for role, number_, shape in (("best", search.best, "star"), ("baseline", search.baseline, "circle")):
        trial = search.trial(number_)
        if trial is not None and trial.values and trial.state == "complete":
            reached = sum((s >= trial.values[0]) if maximize else (s <= trial.values[0]) for s in scores)
            at = y(reached / len(scores))
            look = "arm-1 dot" if role == "best" else "arm-0 dot"
            parts.append(
                marker(shape, x(trial.values[0]), at, look, f"{role}, trial {trial.number}", radius=6)
            )
            marks.append(f"{role} (trial {trial.number}) at rank {reached} of {len(scores)}")
    svg = drawing(bottom + 42, f"Distribution of the scores of {len(scores)} complete trials", *parts)
    reading = f"{plural(len(scores), 'complete trial')}, without pruned ones, which have no final score. "
    reading += f"Star: the best; grey: the baseline. {capital('; '.join(marks))}." if marks else ""
    digits = column_digits(scores)
    quantiles = [
        (share, scores[min(len(scores) - 1, int(share * len(scores)))])
        for share in (0, 0.1, 0.25, 0.5, 0.75, 0.9)
    ]
    rows = [[f"{round(100 * share)} %", number(score, digits)] for share, score in quantiles]
    titles = ["Share of trials ahead", metric_name(search.metrics[0])]
    table = simple_table(f"{id_}-data", "Scores by rank", titles, rows)
    return Figure(id_, "How are the scores distributed?", (svg,), reading.strip(), table)


def early_table(search: SearchSummary, id_: str) -> Table | None:
    """Return how well early epochs ranked final scores, and what stopping at them would have lost."""
    early = search.facts.early if search.facts else ()
    if not early:
        return None
    digits = column_digits(trial.values[0] for trial in search.trials if trial.values)
    names = list(early[0].lost)
    rows = [
        [
            str(one.epoch),
            str(one.n_trials),
            number(one.tau, 2) if one.tau is not None else ABSENT,
            str(one.best_rank),
            *(number(one.lost[name], digits) for name in names),
        ]
        for one in early
    ]
    titles = [
        "Epoch",
        "Trials",
        "Kendall’s tau",
        "Rank of the later best",
        *(f"Lost, best {name} kept" for name in names),
    ]
    caption = (
        "What the value at an epoch says of the final score, over complete trials: rank correlation, the rank then of "
        "the trial that ended best, and the score that would be lost had only the best half, third or tenth then gone "
        "on. Trials that were really pruned are not in it, so where a pruner was at work the trials here are those "
        "that it let pass."
    )
    return simple_table(id_, caption, titles, rows)


def rungs_table(search: SearchSummary, id_: str) -> Table | None:
    """Return the epochs at which trials were stopped."""
    rungs = search.facts.rungs if search.facts else ()
    if not rungs:
        return None
    digits = column_digits(rung.best for rung in rungs)
    shown = thinned(rungs, 30)
    rows = [
        [
            str(r.epoch),
            str(r.reached),
            str(r.stopped),
            f"{round(100 * r.stopped / r.reached)} %",
            number(r.best, digits),
        ]
        for r in shown
    ]
    caption = (
        f"Epochs at which the {search.pruner or 'unknown'} pruner stopped trials; values there are no scores."
    )
    caption += " Brackets of Hyperband share the epochs." if search.pruner == "hyperband" else ""
    caption += f" Shown are {len(shown)} of {len(rungs)} epochs." if len(shown) < len(rungs) else ""
    return simple_table(
        id_, caption, ["Epoch", "Reached", "Stopped", "Share stopped", "Best value there"], rows
    )


def _lanes(trials: Sequence[TrialSummary]) -> tuple[dict[int, int], str]:
    """Return each trial's lane, and what a lane is: a worker where those are known and few, else a free slot."""
    workers = list(dict.fromkeys(trial.worker for trial in trials))
    if all(workers) and len(workers) <= MOST_LANES and " " in workers[0]:
        return {trial.number: workers.index(trial.worker) for trial in trials}, "worker"
    free: list[float] = []  # when each slot is free again
    lanes = {}
    for trial in sorted(trials, key=lambda t: (t.started_s or 0.0, t.number)):
        start = (trial.started_s or 0.0) + 1e-9
        lane = next((i for i, end in enumerate(free) if end <= start), len(free))
        free[lane : lane + 1] = [trial.ended_s or 0.0]
        lanes[trial.number] = lane
    return lanes, "slot"


def _times_table(trials: Sequence[TrialSummary], lanes: dict[int, int], noun: str, id_: str) -> Table:
    shown = thinned(trials, MOST_TABLE_ROWS)
    rows = [
        [f"#{t.number}", t.state, str(lanes[t.number] + 1), duration(t.started_s), duration(t.ended_s)]
        for t in shown
    ]
    caption = "Start and end of trials since the first start" + rows_note(len(shown), len(trials), "trial")
    titles = ["Trial", "State", capital(noun), "Start", "End"]
    return simple_table(f"{id_}-data", caption, titles, rows, text_columns=2)


def _unit(longest_s: float) -> tuple[str, float]:
    return (
        ("hours", 3600.0) if longest_s > 7200 else ("minutes", 60.0) if longest_s > 180 else ("seconds", 1.0)
    )


def _state_legend(trials: Sequence[TrialSummary]) -> Markup:
    present = [name for name in ("complete", "pruned") if any(t.state == name for t in trials)]
    present += ["other ends"] if any(t.state not in STATES for t in trials) else []
    parts, x = [], float(LEFT)
    for name in present:
        look = STATES.get(name, "state-lost") + (" faint" if name == "complete" else "")
        parts.append(tag("rect", x=x, y=4, width=14, height=11, class_=f"span {look}"))
        parts.append(tag("text", name, x=x + 20, y=14, class_="tick"))
        x += 42 + 7 * len(name)
    return Markup("").join(parts)
