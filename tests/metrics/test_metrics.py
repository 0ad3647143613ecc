"""Laws of every metric, and scikit-learn's word on those it has."""

import subprocess
import sys

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as reference

from pokeopt.metrics import Scored, confusion_matrix, curve_metrics, score
from pokeopt.metrics.base import ClassMetric, CurveMetric, ImageMetric, MeasuredMetric, PredictionMetric
from pokeopt.registry import METRICS

K = 4
CLASSES = tuple("ABCD")
OF_PREDICTIONS = [
    name for name in METRICS.names() if issubclass(METRICS.get(name), PredictionMetric | ClassMetric)
]


@st.composite
def predictions(draw: st.DrawFn) -> Scored:
    """Draw labels and probabilities; some classes may be missing."""
    truth = draw(st.lists(st.integers(0, K - 1), min_size=1, max_size=40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    sharpness = draw(st.sampled_from([0.1, 1.0, 10.0]))
    logits = sharpness * rng.normal(size=(len(truth), K))
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return Scored(np.array(truth), (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32))


def one_hot(truth: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    return np.eye(K, dtype=np.float32)[truth]


@given(predictions())
def test_scikit_learn_agrees(scored: Scored) -> None:
    """On every metric that it has."""
    values = score(scored.truth, scored.probabilities, CLASSES)
    truth, predicted = scored.truth, scored.predicted
    f1 = reference.f1_score(truth, predicted, labels=range(K), average=None, zero_division=0)
    assert values["accuracy"] == pytest.approx(reference.accuracy_score(truth, predicted))
    assert values["macro_f1"] == pytest.approx(
        reference.f1_score(truth, predicted, average="macro", zero_division=0)
    )
    assert [values[f"f1/{label}"] for label in CLASSES] == pytest.approx(list(f1))
    exact = np.maximum(scored.probabilities.astype(float), 1e-15)  # scikit-learn's own floor
    exact /= exact.sum(axis=1, keepdims=True)  # scikit-learn warns of a sum that is off by rounding
    loss = score(truth, exact, CLASSES)["loss"]
    assert loss == pytest.approx(reference.log_loss(truth, exact, labels=range(K)))
    recall = reference.recall_score(
        truth, predicted, labels=np.unique(truth), average="macro", zero_division=0
    )
    assert values["balanced_accuracy"] == pytest.approx(recall)
    matrix = confusion_matrix(truth, predicted, K)
    assert (matrix == reference.confusion_matrix(truth, predicted, labels=range(K))).all()


@given(predictions())
@pytest.mark.parametrize("name", OF_PREDICTIONS)
def test_values_keep_their_bounds(name: str, scored: Scored) -> None:
    """And are plain numbers."""
    member = METRICS.get(name)
    low, high = member.bounds
    values = np.atleast_1d(member()(scored))
    assert ((values >= low) & (values <= high)).all()


@given(predictions())
@pytest.mark.parametrize(
    "name", [name for name in OF_PREDICTIONS if name not in ("pred_share", "max_pred_share")]
)
def test_the_truth_is_never_beaten(name: str, scored: Scored) -> None:
    """Its direction leads to the truth. Shares of predictions are outside of this: they describe."""
    member = METRICS.get(name)
    perfect = np.atleast_1d(member()(Scored(scored.truth, one_hot(scored.truth))))
    values = np.atleast_1d(member()(scored))
    better = perfect >= values if member.direction == "maximize" else perfect <= values
    assert better.all()


def test_the_set_is_pooled() -> None:
    """The mean over batches is another number; this one must not depend on how the set was cut."""
    truth = np.array([0, 0, 0, 1, 1, 2])
    probabilities = one_hot(np.array([0, 0, 1, 1, 0, 2]))
    pooled = score(truth, probabilities, CLASSES)["macro_f1"]
    by_batch = [
        score(truth[rows], probabilities[rows], CLASSES)["macro_f1"] for rows in (slice(0, 3), slice(3, 6))
    ]
    assert pooled == pytest.approx((2 / 3 + 1 / 2 + 1) / 3)
    assert pooled != pytest.approx(np.mean(by_batch))


@given(predictions(), st.randoms())
def test_the_order_of_the_images_does_not_count(scored: Scored, random: object) -> None:
    order = np.random.default_rng(0).permutation(len(scored.truth))
    shuffled = score(scored.truth[order], scored.probabilities[order], CLASSES)
    assert shuffled == pytest.approx(score(scored.truth, scored.probabilities, CLASSES))


def test_collapse_shows() -> None:
    """One class predicted for all: its share is 1, and it is over-predicted."""
    truth = np.array([0, 1, 2, 3])
    values = score(truth, one_hot(np.zeros(4, dtype=np.int64)), CLASSES)
    assert (values["max_pred_share"], values["pred_share/A"], values["n_overpredicted"]) == (1.0, 1.0, 1.0)


def test_no_image_no_value() -> None:
    assert score(np.array([], dtype=np.int64), np.zeros((0, K)), CLASSES) == {}


def test_a_certain_mistake_costs_a_finite_loss() -> None:
    values = score(np.array([1]), one_hot(np.array([0])), CLASSES)
    assert 80 < values["loss"] < 90


@pytest.mark.parametrize(
    ("curve", "direction", "epoch"),
    [
        ([0.1, 0.5, 0.9, 1.0], "maximize", 3),
        ([1.0], "maximize", 1),
        ([4.0, 2.0, 1.1, 1.0], "minimize", 3),
        ([-4.0, -2.0, -1.05, -1.0], "maximize", 3),
        ([0.0, 0.0], "minimize", 1),
    ],
)
def test_epochs_to_90pct(curve: list[float], direction: str, epoch: int) -> None:
    assert curve_metrics(curve, direction)["epochs_to_90pct"] == epoch  # type: ignore[arg-type]
    assert curve_metrics([], "maximize") == {}


@pytest.mark.parametrize("name", METRICS.names())
def test_every_metric_is_described(name: str) -> None:
    """One direction, at least one task, one line that says what it is."""
    member = METRICS.get(name)
    kinds = PredictionMetric | ClassMetric | ImageMetric | CurveMetric | MeasuredMetric
    assert issubclass(member, kinds)
    assert member.direction in ("maximize", "minimize")
    assert member.tasks
    assert member.__doc__


def test_metrics_need_no_torch() -> None:
    """A report on a laptop scores stored predictions."""
    code = "import sys, pokeopt.metrics as m; m.find('val/accuracy'); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
