"""What a study knows of the plan that declared it: its words, its claims, and the verdicts on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pokeopt.report.cells import MINUS, Cells
from pokeopt.report.summary import Hole, PlanSummary
from pokeopt.spec.claims import Claim
from pokeopt.store import StudyView

if TYPE_CHECKING:
    from pokeopt.ablation.verdicts import Verdict


def plan_of(view: StudyView) -> PlanSummary | None:
    """Return the plan of a confirm study; None where a search declared its arms."""
    told: dict[str, Any] | None = view.attrs.get("plan")
    if not told:
        return None
    return PlanSummary(
        name=str(told["name"]),
        path=str(told.get("path") or ""),
        document=str(told.get("document") or ""),
        section=str(told.get("section") or ""),
        question=str(told.get("question") or ""),
        fidelity=str(told.get("fidelity") or ""),
        base=str(told.get("base") or ""),
        note=str(told.get("note") or ""),
        metrics=tuple(told.get("metrics") or ()),
        design=str(told.get("design") or "arms"),
        factors={key: tuple(levels) for key, levels in (told.get("factors") or {}).items()},
        is_quick=bool(told.get("is_quick")),
        unit=str(told.get("unit") or "network"),
        retune=tuple(told.get("retune") or ()),
    )


def claims_of(view: StudyView) -> tuple[Claim, ...]:
    """Return the claims of a plan, in its order."""
    told = view.attrs.get("plan") or {}
    return tuple(Claim.from_dict(plain) for plain in told.get("claims") or ())


def test_share(view: StudyView) -> float | None:
    """Return n_test / n_train where every seed redraws the test part too, which widens every interval; else None."""
    if view.attrs.get("resample") != "all":
        return None
    counts = (view.attrs.get("data") or {}).get("counts") or {}
    if counts.get("test") and counts.get("train"):
        return float(sum(counts["test"]) / sum(counts["train"]))
    split = (view.spec.get("data") or {}).get("split") or {}
    return float(split["test"] / split["train"]) if split.get("test") and split.get("train") else None


def verdicts_of(
    view: StudyView, cells: Cells, holes: Sequence[Hole], share: float | None
) -> tuple[Verdict, ...]:
    """Return the verdict on every claim of a plan."""
    claims = claims_of(view)
    if not claims:
        return ()
    from pokeopt.ablation.verdicts import judge

    told = view.attrs["plan"]
    missing: dict[str, list[int]] = {}
    for hole in holes:
        missing.setdefault(hole.arm_id, []).append(hole.seed)
    metrics = sorted({claim.metric for claim in claims})
    named = sorted({name for metric in metrics for name in (metric, *metric.split(MINUS))})
    return judge(
        claims,
        {metric: cells.by_arm(metric) for metric in metrics},
        {name: cells.direction_of(name) for name in named},  # of A - B those of A and of B, too
        is_quick=bool(told.get("is_quick")),
        missing=missing,
        fidelity=str(told.get("fidelity") or ""),
        test_share=share,
    )
