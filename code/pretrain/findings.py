"""What a verdict finds of damage: pairs of an original and its copy told apart, by each judge."""

from dataclasses import dataclass

import numpy as np

from pretrain.damage.catalogue import DAMAGES
from skeleton2stage.tables import bootstrap_error, markdown_table

IMITATION, ANY_AXIS = "imitation", "any_axis"
# An axis that falls by less says nothing: a fault of 5 % for half a second of five.
MARGIN = 0.005
FOUND, LEFT = 0.9, 0.55


@dataclass(frozen=True)
class Finding:
    """How n windows compare with their copies, by each judge's name.

    seen: share of pairs in which the original scores higher, by an axis by more than `MARGIN`. seen_error: its standard
    error by bootstrap over clips, None where there is one clip. difference: mean of original minus copy.
    """

    n: int
    seen: dict[str, float]
    seen_error: dict[str, float | None]
    difference: dict[str, float]


def compare(original: dict[str, np.ndarray], copies: dict[str, np.ndarray], clips: list[str]) -> Finding:
    """Return how scores [N] of windows, by judge, compare with those of copies; `clips` names each window's clip."""
    differences = {judge: scores - copies[judge] for judge, scores in original.items()}
    seen = {
        judge: (values > (0.0 if judge == IMITATION else MARGIN)).astype(np.float64)
        for judge, values in differences.items()
    }
    axes = [values for judge, values in seen.items() if judge != IMITATION]
    if axes:
        seen[ANY_AXIS] = np.max(axes, axis=0)
    return Finding(
        n=len(clips),
        seen={judge: float(values.mean()) for judge, values in seen.items()},
        seen_error={judge: bootstrap_error(values, clips) for judge, values in seen.items()},
        difference={judge: float(values.mean()) for judge, values in differences.items()},
    )


def weakest_found(findings: dict[str, Finding], judge: str) -> str | None:
    """Return the least strength from which on every one is seen in 90 % of the pairs; None where the strongest is not.

    findings: of one damage, by strength, from weak to strong.
    """
    weakest = None
    for strength in reversed(findings):
        if findings[strength].seen.get(judge, 0.0) < FOUND:
            break
        weakest = strength
    return weakest


def own_axes(name: str, finding: Finding) -> float | None:
    """Return the share of pairs seen by the best of the axes that must find a damage."""
    shares = [finding.seen[axis] for axis in DAMAGES[name].axes if axis in finding.seen]
    return max(shares) if shares else None


def damages_table(damages: dict[str, dict[str, Finding]]) -> str:
    """Return findings of damages as Markdown: a row a strength, the old score, the damage's own axes, any axis."""
    head = ["damage", "strength", "imitation", "its own axes", "any axis", "weakest in 90 %: imitation", "its own axis"]
    rows = [head]
    for name, findings in damages.items():
        for strength, finding in findings.items():
            rows.append([
                name, f"{strength} {DAMAGES[name].unit}", _share(finding.seen.get(IMITATION)),
                _share(own_axes(name, finding)), _share(finding.seen.get(ANY_AXIS)), "", "",
            ])
        rows[-1][-2:] = [_weakest(name, findings, (IMITATION,)), _weakest(name, findings, DAMAGES[name].axes)]
    return markdown_table(rows)


def controls_table(controls: dict[str, Finding]) -> str:
    """Return findings of controls as Markdown: the old score, the axis that minds each most, and any axis."""
    rows = [["control", "imitation", "the axis that minds it most", "any axis"]]
    for name, finding in controls.items():
        axes = {judge: share for judge, share in finding.seen.items() if judge not in (IMITATION, ANY_AXIS)}
        worst = max(axes, key=axes.get) if axes else ""
        told = f"{worst} {_share(axes[worst])}" if axes else ""
        rows.append([name, _share(finding.seen.get(IMITATION)), told, _share(finding.seen.get(ANY_AXIS))])
    return markdown_table(rows)


def _weakest(name: str, findings: dict[str, Finding], judges: tuple[str, ...]) -> str:
    order = list(findings)
    found = [strength for judge in judges if (strength := weakest_found(findings, judge)) is not None]
    return f"{min(found, key=order.index)} {DAMAGES[name].unit}" if found else "none"


def _share(value: float | None) -> str:
    return "" if value is None else f"{100.0 * value:.0f} %"
