"""Claims as data: each sentence of a document that can be tested, as a predicate over the arms of a plan."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from pokeopt.registry import nearest
from pokeopt.spec.nodes import Node, show

Kind = Literal["order", "diff", "equal", "threshold", "ratio", "qual"]
KINDS: tuple[str, ...] = get_args(Kind)
COMMON = ("says", "metric", "reported", "section")
SETTINGS: Mapping[str, tuple[str, ...]] = {
    "diff": ("arm", "from", "min", "max", "over"),
    "threshold": ("arm", "min", "max"),
    "ratio": ("arm", "to", "min", "max"),
}


@dataclass(frozen=True)
class Claim:
    """One sentence as a predicate.

    Attributes:
        says: The sentence, short, as the document has it.
        kind: What is claimed: an order of arms, a difference of two, their equality, a bound on one, a ratio of
            two; ``qual`` is a sentence that no run can measure, and is never testable.
        metric: What it is about; a difference of two metrics is written ``A - B``.
        groups: ``order``: arms from worst to best; no order within a group.
        arm: ``diff``, ``threshold``, ``ratio``: the arm that the sentence is about.
        other: ``diff``: the arm that it is compared with (``from``); ``ratio``: the denominator (``to``).
        over: ``diff``: two more arms; the claim is then that |arm - other| exceeds |their difference| by the bounds.
        arms: ``equal``: the two arms.
        minimum: Lower bound of the difference, value or ratio, in the metric's unit.
        maximum: Upper bound.
        within: ``equal``: the largest difference that still counts as none.
        reported: Arm id to what the document reports for it, one value or several.
        section: Where the sentence stands; empty where the plan's own section says it.
        why: ``qual``: why no plan can measure it; empty where nothing is said.
    """

    says: str
    kind: Kind
    metric: str
    groups: tuple[tuple[str, ...], ...] = ()
    arm: str = ""
    other: str = ""
    over: tuple[str, str] | None = None
    arms: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    within: float | None = None
    reported: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    section: str = ""
    why: str = ""

    @property
    def arm_ids(self) -> tuple[str, ...]:
        """Every arm that the predicate needs, each once."""
        found = [arm for group in self.groups for arm in group]
        found += [*self.arms, self.arm, self.other, *(self.over or ())]
        return tuple(dict.fromkeys(arm for arm in found if arm))

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON values; ``from_dict`` takes it back."""
        plain: dict[str, Any] = {"says": self.says, "kind": self.kind, "metric": self.metric}
        plain["groups"] = [list(group) for group in self.groups]
        plain |= {"arm": self.arm, "other": self.other, "over": list(self.over) if self.over else None}
        plain |= {"arms": list(self.arms), "minimum": self.minimum, "maximum": self.maximum}
        plain |= {"within": self.within, "section": self.section}
        plain |= {"why": self.why} if self.why else {}
        return plain | {"reported": {arm: list(values) for arm, values in self.reported.items()}}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Claim:
        """Return the claim that ``as_dict`` wrote."""
        over = plain["over"]
        return cls(
            **{key: plain[key] for key in ("says", "kind", "metric", "arm", "other", "section")},
            **{key: plain[key] for key in ("minimum", "maximum", "within")},
            groups=tuple(tuple(group) for group in plain["groups"]),
            over=(over[0], over[1]) if over else None,
            arms=tuple(plain["arms"]),
            why=plain.get("why", ""),
            reported={arm: tuple(values) for arm, values in plain["reported"].items()},
        )


def read_claim(node: Node, metric: str, arm_ids: Collection[str]) -> Claim:
    """Read one entry of ``claims:``.

    Args:
        node: The entry.
        metric: The plan's first metric, for a claim that names none.
        arm_ids: The arms of the plan.

    Raises:
        SpecError: With file and line, if it is no claim or names an unknown arm.
    """
    return _Reader(node, metric, arm_ids).read()


class _Reader:
    def __init__(self, node: Node, metric: str, arm_ids: Collection[str]) -> None:
        self.node, self.metric, self.arm_ids = node, metric, arm_ids

    def read(self) -> Claim:
        """Return the claim."""
        node = self.node
        if not node.is_mapping:
            raise self._error(
                node, f"a claim is a mapping, got {show(node.plain())}", "write {says: ..., diff: {...}}"
            )
        kinds = [key for key in node.mapping if key in KINDS]
        for key, value in node.mapping.items():
            if key not in (*COMMON, *KINDS) and not (key == "within" and kinds == ["equal"]):
                raise self._error(value, f"a claim has no key '{key}'", nearest(key, (*COMMON, *KINDS)))
        if len(kinds) != 1:
            what = (
                "a claim needs one kind"
                if not kinds
                else f"a claim is one of {' and '.join(kinds)}, not both"
            )
            raise self._error(node, what, f"write one of {', '.join(KINDS)}")
        kind: Any = kinds[0]
        fields = getattr(self, f"_{kind}")(node.mapping[kind])
        return Claim(
            says=self._text("says", required=True),
            kind=kind,
            metric=self._text("metric") or self.metric,
            reported=self._reported(),
            section=self._text("section"),
            **fields,
        )

    def _order(self, node: Node) -> dict[str, Any]:
        if not node.is_list or len(node.items) < 2:
            raise self._error(node, "'order' lists arms from worst to best", "write order: [a, [b, c]]")
        groups = []
        for item in node.items:
            members = item.items if item.is_list else (item,)
            groups.append(tuple(self._arm(member) for member in members))
        flat = [arm for group in groups for arm in group]
        if len(set(flat)) < len(flat):
            raise self._error(node, "an arm stands twice in this order", "name each once")
        return {"groups": tuple(groups)}

    def _diff(self, node: Node) -> dict[str, Any]:
        fields = self._bounded(node, "diff", default_minimum=0.0)
        given = node.mapping
        over = given.get("over")
        if over is not None:
            if set(over.mapping) != {"arm", "from"}:
                raise self._error(over, "'over' names two arms", "write over: {arm: A, from: B}")
            fields["over"] = self._two(over, self._arm(over.mapping["arm"]), self._arm(over.mapping["from"]))
        _, other = self._two(node, fields["arm"], self._arm(self._needed(node, "from", "diff")))
        return fields | {"other": other}

    def _equal(self, node: Node) -> dict[str, Any]:
        if not node.is_list or len(node.items) != 2:
            raise self._error(node, "'equal' names two arms", "write equal: [a, b]")
        within = self.node.mapping.get("within")
        value = 0.01 if within is None else self._number(within, "within")
        if value <= 0:
            raise self._error(
                within or node, f"'within' must be above 0, got {value:g}", "write within: 0.01"
            )
        one, other = (self._arm(item) for item in node.items)
        return {"arms": self._two(node, one, other), "within": value}

    def _threshold(self, node: Node) -> dict[str, Any]:
        return self._bounded(node, "threshold", default_minimum=None)

    def _ratio(self, node: Node) -> dict[str, Any]:
        fields = self._bounded(node, "ratio", default_minimum=1.0)
        _, other = self._two(node, fields["arm"], self._arm(self._needed(node, "to", "ratio")))
        return fields | {"other": other}

    def _qual(self, node: Node) -> dict[str, Any]:
        if isinstance(node.value, str) and node.value.strip():
            return {"why": node.value.strip().rstrip(".")}
        if node.value is not True:
            what = "'qual' is true, or a text that says why no run can measure it"
            raise self._error(node, what, "write qual: true")
        return {}

    def _bounded(self, node: Node, kind: str, default_minimum: float | None) -> dict[str, Any]:
        """Read an arm and its bounds; the default bound holds where none is given."""
        known = SETTINGS[kind]
        for key, value in node.mapping.items():
            if key not in known:
                raise self._error(value, f"'{kind}' has no key '{key}'", nearest(key, known))
        arm = self._arm(self._needed(node, "arm", kind))
        low, high = (
            self._number(node.mapping[key], key) if key in node.mapping else None for key in ("min", "max")
        )
        if low is None and high is None:
            if default_minimum is None:
                raise self._error(
                    node, f"'{kind}' needs min or max", f"write {kind}: {{arm: {arm}, min: 0.9}}"
                )
            low = default_minimum
        if low is not None and high is not None and low >= high:
            raise self._error(node, f"min must be below max, got {low:g} and {high:g}", "swap them")
        return {"arm": arm, "minimum": low, "maximum": high}

    def _needed(self, node: Node, key: str, kind: str) -> Node:
        if key not in node.mapping:
            raise self._error(node, f"'{kind}' needs '{key}'", f"add {key}: ARM")
        return node.mapping[key]

    def _arm(self, node: Node) -> str:
        arm = node.value if isinstance(node.value, str) else show(node.plain())
        if arm not in self.arm_ids:
            raise self._error(node, f"no arm is called '{arm}'", nearest(arm, self.arm_ids))
        return arm

    def _two(self, node: Node, one: str, other: str) -> tuple[str, str]:
        """Refuse an arm beside itself: what a claim says of the two is then known without a run."""
        if one == other:
            raise self._error(node, f"'{one}' is compared with itself", "name two arms")
        return one, other

    def _number(self, node: Node, key: str) -> float:
        value = node.value
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise self._error(node, f"'{key}' is a number, got {show(node.plain())}", f"write {key}: 0.02")
        return float(value)

    def _text(self, key: str, *, required: bool = False) -> str:
        node = self.node.mapping.get(key)
        if node is None:
            if required:
                raise self._error(self.node, f"a claim needs '{key}'", f"add {key}: what the document says")
            return ""
        if not isinstance(node.value, str) or not node.value.strip():
            raise self._error(node, f"'{key}' is text, got {show(node.plain())}", "write it in quotes")
        return node.value

    def _reported(self) -> dict[str, tuple[float, ...]]:
        node = self.node.mapping.get("reported")
        if node is None:
            return {}
        if not node.is_mapping:
            raise self._error(node, "'reported' maps arms to numbers", "write reported: {ARM: 0.9}")
        found = {}
        for arm, values in node.mapping.items():
            self._arm(Node(arm, values.place))
            each = values.items if values.is_list else (values,)
            found[arm] = tuple(self._number(one, f"reported.{arm}") for one in each)
        return found

    @staticmethod
    def _error(node: Node, what: str, mend: str) -> Exception:
        return node.place.error("claims", what, mend)
