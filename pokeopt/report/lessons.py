"""What went wrong and what went well, from the numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pokeopt.report.blocks import Text
from pokeopt.report.summary import StudySummary
from pokeopt.report.words import effect_text, metric_name, plural

MOST = 5


def lessons(studies: Sequence[StudySummary]) -> list[Text]:
    """Return what went wrong and the largest settled gains; nothing where there is neither."""
    texts = []
    if wrong := _wrong(studies):
        texts.append(Text(items=tuple(wrong), title="What went wrong"))
    if great := _great(studies):
        texts.append(Text(items=tuple(great), title="What went well"))
    return texts


def _wrong(studies: Sequence[StudySummary]) -> list[tuple[str, str]]:
    found = []
    for study in studies:
        causes = Counter(failure.cause or failure.state for failure in study.failures)
        said = [
            f"{plural(n, 'run')} ended by {cause.replace('_', ' ')}" for cause, n in sorted(causes.items())
        ]
        ablation = study.ablation
        if ablation is not None:
            not_run = sum(hole.state == "not run" for hole in ablation.holes)
            said += [f"{plural(not_run, 'cell')} did not run"] if not_run else []
            for arm in ablation.arms:
                if arm.collapse is not None and arm.collapse.count and not (arm.same_as or arm.prefix_of):
                    said.append(
                        f"{arm.collapse.count:.0f} of {plural(arm.collapse.n, 'run')} of {arm.label} collapsed (no "
                        "better than naming one class, or far below the arm's others)"
                    )
        if said:
            found.append((study.title, "; ".join(said)))
    return found


def _great(studies: Sequence[StudySummary]) -> list[tuple[str, str]]:
    """Return the settled gains, within each metric the largest first; none of a smoke run."""
    found = []
    for study in studies:
        ablation = study.ablation
        if ablation is None or (ablation.plan is not None and ablation.plan.is_quick):
            continue
        gains = [arm for arm in ablation.arms if arm.is_settled and (arm.gain or 0) > 0 and not arm.same_as]
        for arm in sorted(gains, key=lambda arm: -(arm.gain or 0))[:MOST]:
            reference = ablation.arm(arm.reference or "")
            assert arm.effect is not None
            text = f"{arm.label} against {reference.label if reference else arm.reference}: {effect_text(arm.effect)}"
            found.append((study.title, f"{text} {metric_name(ablation.metric)}"))
    return found
