"""Cells: hashes, order, sharing, what is missing and what is superseded."""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pokeopt.ablation import Arm, config_hash, missing_cells, plan_cells, rows_by_arm, superseded

leaves = st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.floats(-2, 2), st.text(max_size=4))
configs = st.dictionaries(st.text(max_size=3), st.one_of(leaves, st.lists(leaves, max_size=3)), max_size=4)


@dataclass(frozen=True)
class Row:
    arm_id: str | None
    seed: int | None
    attrs: dict[str, Any] = field(default_factory=dict)


def arm(name: str, **config: Any) -> Arm:
    return Arm(name, name, {}, {}, config)


@given(configs)
def test_the_hash_ignores_key_order_and_the_type_of_whole_numbers(config: dict[str, Any]) -> None:
    turned = dict(reversed(list(config.items())))
    floats = {k: float(v) if type(v) is int else v for k, v in turned.items()}
    assert config_hash(config) == config_hash(turned) == config_hash(floats)


def test_the_hash_tells_values_apart() -> None:
    assert len({config_hash({"a": v}) for v in (1, True, "1", None, 1.5, [1], {"b": 1})}) == 7


def test_cells_are_interleaved_seed_by_seed() -> None:
    cells = plan_cells([arm("baseline", x=0), arm("x=1", x=1)], [0, 1])
    order = [("baseline", 0), ("x=1", 0), ("baseline", 1), ("x=1", 1)]
    assert [(cell.arm_id, cell.seed) for cell in cells] == order


def test_arms_of_one_configuration_share_their_cells() -> None:
    arms = [arm("baseline", x=0), arm("x=1", x=1), arm("best", x=1.0)]
    assert len(plan_cells(arms, range(3))) == 6
    hashes = {a.id: a.config_hash for a in arms}
    row = Row("x=1", 2, {"config_hash": hashes["x=1"]})
    assert rows_by_arm(hashes, [row]) == {"baseline": {}, "x=1": {2: row}, "best": {2: row}}


def test_more_seeds_top_up_and_a_changed_arm_supersedes() -> None:
    before, after = [arm("baseline", x=0), arm("best", x=1)], [arm("baseline", x=0), arm("best", x=2)]
    rows = [Row(c.arm_id, c.seed, {"config_hash": c.config_hash}) for c in plan_cells(before, range(2))]
    done = [(row.attrs["config_hash"], row.seed or 0) for row in rows]
    missing = missing_cells(plan_cells(after, range(3)), done)
    assert [(c.arm_id, c.seed) for c in missing] == [("best", 0), ("best", 1), ("baseline", 2), ("best", 2)]
    assert [row.arm_id for row in superseded({a.id: a.config_hash for a in after}, rows)] == ["best", "best"]
