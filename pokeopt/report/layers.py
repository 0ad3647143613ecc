"""The layers of each arm's network, as its trial wrote them down."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pokeopt.report.blocks import Table, simple_table
from pokeopt.report.cells import Cells
from pokeopt.report.summary import AblationSummary, ArmSummary, Layers
from pokeopt.report.words import joined, number, quantity
from pokeopt.store import StudyView

if TYPE_CHECKING:
    from pokeopt.store import Store

FILE = "layers.json"
COLUMNS = ("name", "kind", "shape", "n_params", "n_trained", "flops")


def read_layers(
    store: Store, view: StudyView, cells: Cells, arms: Sequence[ArmSummary]
) -> tuple[Layers, ...]:
    """Return the layers of every arm whose first complete run recorded them; equal networks stand once."""
    found: list[Layers] = []
    for arm in arms:
        rows = cells.complete.get(arm.id) or {}
        if not rows or arm.same_as is not None or arm.prefix_of is not None:
            continue
        content = store.read_artifact(view.name, rows[min(rows)].number, FILE)
        layers = _read(content)
        if layers is None:
            continue
        same = next((i for i, known in enumerate(found) if known.rows == layers), None)
        if same is None:
            found.append(Layers((arm.id,), layers))
        else:
            found[same] = Layers((*found[same].arm_ids, arm.id), layers)
    return tuple(found)


def layer_tables(ablation: AblationSummary, id_: str) -> list[Table]:
    """Return one folded table a network."""
    tables = []
    for i, network in enumerate(ablation.layers):
        labels = [arm.label for arm in ablation.arms if arm.id in network.arm_ids]
        whose = joined(labels) if len(labels) < len(ablation.arms) else "every arm"
        rows = [
            [
                row["name"],
                row["kind"],
                " × ".join(str(size) for size in row["shape"]),
                quantity(row["n_params"]),
                _trained(row),
                quantity(row["flops"]),
            ]
            for row in network.rows
        ]
        total = sum(int(row["n_params"]) for row in network.rows)
        caption = (
            f"Layers of {whose}: {number(total, 0)} parameters. Operations are of one image; a multiplication with its "
            "addition counts 2."
        )
        titles = ["Layer", "Kind", "Output", "Parameters", "Trained", "Operations"]
        table = simple_table(f"{id_}-{i}", caption, titles, rows, text_columns=3)
        tables.append(Table(table.id, caption, table.columns, table.rows, fold=f"Layers of {whose}"))
    return tables


def _trained(row: Mapping[str, Any]) -> str:
    """Return whether a layer's parameters are trained; nothing for a layer that has none."""
    if not row["n_params"]:
        return ""
    return "frozen" if not row["n_trained"] else "yes" if row["n_trained"] == row["n_params"] else "in part"


def _read(content: bytes | None) -> tuple[dict[str, Any], ...] | None:
    try:
        found = json.loads(content)["layers"] if content is not None else []
        return tuple({key: layer[key] for key in COLUMNS} for layer in found) or None
    except (KeyError, TypeError, ValueError):
        return None
