"""What a verdict finds of damage: pairs of an original and its copy told apart, by each judge."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from pretrain.damage.catalogue import DAMAGES
from skeleton2stage.physics.axes.read_axes import AXES
from skeleton2stage.tables import bootstrap_error, markdown_table

IMITATION, ANY_AXIS = "imitation", "any_axis"
# A judge whose score falls by less says nothing: of an axis a fault of 5 % for half a second of five, of a policy what
# turning the whole motion, which changes nothing, costs in 1 of 20 windows of the training clips.
MARGIN = 0.005
FOUND = 0.9


@dataclass(frozen=True)
class Finding:
    """How n windows compare with their copies, by each judge's name.

    seen: share of pairs in which the original scores higher by more than `MARGIN`. seen_error: its standard error by
    bootstrap over clips, None where there is one clip. preferred: share in which the copy does. difference: mean of
    original minus copy. Of `ANY_AXIS`, seen and preferred by one axis at least.
    """

    n: int
    seen: dict[str, float]
    seen_error: dict[str, float | None]
    preferred: dict[str, float]
    difference: dict[str, float]


def compare(original: dict[str, np.ndarray], copies: dict[str, np.ndarray], clips: list[str]) -> Finding:
    """Return how scores [N] of windows, by judge, compare with those of copies; `clips` names each window's clip."""
    differences = {judge: scores - copies[judge] for judge, scores in original.items()}
    seen = _with_any({judge: values > MARGIN for judge, values in differences.items()})
    preferred = _with_any({judge: values < -MARGIN for judge, values in differences.items()})
    return Finding(
        n=len(clips),
        seen={judge: float(values.mean()) for judge, values in seen.items()},
        seen_error={judge: bootstrap_error(values.astype(np.float64), clips) for judge, values in seen.items()},
        preferred={judge: float(values.mean()) for judge, values in preferred.items()},
        difference={judge: float(values.mean()) for judge, values in differences.items()},
    )


def _with_any(told: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return what judges tell of pairs, [N] bool each, and what one of the axes at least does."""
    axes = [values for judge, values in told.items() if judge in AXES]
    return {**told, ANY_AXIS: np.any(axes, axis=0)} if axes else told


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


def policies(finding: Finding) -> list[str]:
    """Return the judges that are no axes."""
    return [judge for judge in finding.seen if judge not in (*AXES, ANY_AXIS)]


def one_line(name: str, findings: dict[str, Finding]) -> str:
    """Return what was found of a damage, by strength, in a line."""
    first = next(iter(findings.values()))
    shares = [f"{judge} {_shares(finding.seen[judge] for finding in findings.values())}" for judge in policies(first)]
    own = _shares(own_axes(name, finding) for finding in findings.values())
    return f"{name} of {', '.join(findings)} {DAMAGES[name].unit}: {'; '.join([*shares, f'its own axes {own}'])} %"


def damages_table(damages: dict[str, dict[str, Finding]]) -> str:
    """Return findings of damages as Markdown, a row each: what every policy finds, %, by strength, what the damage's
    own axes find, and the weakest strength that each finds in 90 %.
    """
    judges = policies(next(iter(next(iter(damages.values())).values())))
    rows = [[
        "damage", "strengths", *(f"{judge}, %" for judge in judges), "its own axes, %",
        *(f"weakest in 90 %: {judge}" for judge in judges), "its own axis",
    ]]
    for name, findings in damages.items():
        found = [[finding.seen[judge] for finding in findings.values()] for judge in judges]
        found.append([own_axes(name, finding) for finding in findings.values()])
        groups = [*((judge,) for judge in judges), DAMAGES[name].axes]
        rows.append([
            name, f"{', '.join(findings)} {DAMAGES[name].unit}", *map(_shares, found),
            *(_weakest(findings, group) for group in groups),
        ])
    return markdown_table(rows)


def axes_table(damages: dict[str, dict[str, Finding]]) -> str:
    """Return what each axis finds of each damage as Markdown, %: at its strongest / at its third strength."""
    rows = [["damage", *AXES]]
    for name, findings in damages.items():
        strongest, third = list(findings.values())[-1], list(findings.values())[2]
        rows.append([name, *(f"{_shares((strongest.seen[a],))} / {_shares((third.seen[a],))}" for a in AXES)])
    return markdown_table(rows)


def controls_table(controls: dict[str, Finding]) -> str:
    """Return findings of controls as Markdown, %: by every policy, the axis that minds each most, and any axis; after
    a stroke the share in which the copy is preferred, which is as large where chance alone decides.
    """
    judges = policies(next(iter(controls.values())))
    rows = [["control", *(f"{judge}, %" for judge in judges), "the axis that minds it most, %", "any axis, %"]]
    for name, finding in controls.items():
        worst = max(AXES, key=lambda axis: finding.seen[axis])
        told = f"{worst} {_both_ways(finding, worst)}" if finding.seen[worst] > 0 else "none"
        shares = [_both_ways(finding, judge) for judge in (*judges, ANY_AXIS)]
        rows.append([name, *shares[:-1], told, shares[-1]])
    return markdown_table(rows)


def _both_ways(finding: Finding, judge: str) -> str:
    return f"{_shares((finding.seen[judge],))} / {_shares((finding.preferred[judge],))}"


def _weakest(findings: dict[str, Finding], judges: tuple[str, ...]) -> str:
    order = list(findings)
    found = [strength for judge in judges if (strength := weakest_found(findings, judge)) is not None]
    return min(found, key=order.index) if found else "none"


def _shares(values: Iterable[float | None]) -> str:
    return ", ".join("" if value is None else f"{100.0 * value:.0f}" for value in values)
