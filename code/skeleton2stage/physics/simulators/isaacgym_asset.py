"""The humanoid as Isaac Gym takes it: MJCF with hinges, hulls as STL files, and collision filters as bit masks.

Isaac Gym's importer knows no ball joints; three hinges about x, y, z at one place it makes a spherical joint,
whose coordinates are the exponential map. It does not read `<exclude>`: pairs are kept apart by masks.
"""

from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import trimesh

from skeleton2stage.files import write_json
from skeleton2stage.motion import skeleton
from skeleton2stage.physics.humanoid.humanoid import ARMATURE_KGM2, FLOOR_FRICTION, PHYSICS_HZ, Humanoid, gains
from skeleton2stage.physics.simulators.engine_layout import MAX_SPEED, MAX_TARGET_ERROR_RAD
from skeleton2stage.physics.simulators.simulator import CONTROL_HZ

MJCF_FILE = "humanoid.xml"
DESCRIPTION_FILE = "humanoid.json"
MAX_MASKS = 31  # bits of a shape's filter that stay clear of its sign
_RANGE_DEG = "-720 720"  # no limit in effect: the importer wants one
_DECIMALS = 9


def write_isaacgym_assets(humanoid: Humanoid, folder: Path) -> None:
    """Write what `isaacgym_host` builds its worlds from: MJCF, hulls, and a description in SMPL joint order."""
    (folder / "meshes").mkdir()
    for name, vertices in zip(skeleton.joint_names(), humanoid.hull_vertices, strict=True):
        trimesh.convex.convex_hull(vertices).export(folder / "meshes" / f"{name}.stl")
    (folder / MJCF_FILE).write_text(isaacgym_mjcf(humanoid), encoding="utf-8")
    write_json(folder / DESCRIPTION_FILE, description(humanoid))


def description(humanoid: Humanoid) -> dict[str, object]:
    """Return what the MJCF cannot say, as JSON keeps it; lists are in SMPL joint order."""
    names = skeleton.joint_names()
    stiffness, damping = zip(*(gains(name) for name in names[1:]), strict=True)
    return {
        "mjcf": MJCF_FILE,
        "names": names,
        "parents": skeleton.parents(),
        "offsets_m": humanoid.bone_offsets.tolist(),
        "masses_kg": humanoid.model.body_mass[humanoid.body_ids].tolist(),
        "filters": filter_masks(excluded_pairs(humanoid), len(names)),
        "stiffness": list(stiffness),
        "damping": list(damping),
        "armature_kgm2": ARMATURE_KGM2,
        "friction": FLOOR_FRICTION,
        "max_error_rad": float(MAX_TARGET_ERROR_RAD),
        "max_speed": MAX_SPEED,
        "physics_hz": PHYSICS_HZ,
        "substeps": round(PHYSICS_HZ / CONTROL_HZ),
    }


def isaacgym_mjcf(humanoid: Humanoid) -> str:
    """Return MJCF of the humanoid without floor, actuators or filters; meshes are `meshes/NAME.stl` beside it."""
    root = ElementTree.Element("mujoco", model="humanoid")
    asset, world = ElementTree.SubElement(root, "asset"), ElementTree.SubElement(root, "worldbody")
    names, parents = skeleton.joint_names(), skeleton.parents()
    density = _density(humanoid)
    elements: list[ElementTree.Element] = []
    for name, parent, offset in zip(names, parents, humanoid.bone_offsets, strict=True):
        ElementTree.SubElement(asset, "mesh", name=name, file=f"meshes/{name}.stl")
        holder = world if parent < 0 else elements[parent]
        body = ElementTree.SubElement(holder, "body", name=name, pos=_numbers(offset))
        _add_joints(body, name, is_root=parent < 0)
        ElementTree.SubElement(
            body, "geom", type="mesh", mesh=name, density=_numbers([density]), contype="1", conaffinity="1"
        )
        elements.append(body)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode")


def _add_joints(body: ElementTree.Element, name: str, is_root: bool) -> None:
    if is_root:
        ElementTree.SubElement(body, "freejoint", name=name)
        return
    for axis, direction in zip("xyz", np.eye(3, dtype=int), strict=True):
        ElementTree.SubElement(
            body, "joint", name=f"{name}_{axis}", type="hinge", pos="0 0 0", axis=_numbers(direction),
            limited="true", range=_RANGE_DEG, armature=str(ARMATURE_KGM2),
        )


def _density(humanoid: Humanoid) -> float:
    """Return the density (kg/m^3) that gives the hulls, as they are written, the humanoid's mass."""
    volume = sum(trimesh.convex.convex_hull(vertices).volume for vertices in humanoid.hull_vertices)
    return float(humanoid.model.body_mass[humanoid.body_ids].sum() / volume)


def _numbers(values: np.ndarray | list[float]) -> str:
    return " ".join(f"{round(float(value), _DECIMALS):.{_DECIMALS}g}" for value in values)


def excluded_pairs(humanoid: Humanoid) -> set[tuple[int, int]]:
    """Return the pairs of parts that do not collide, as SMPL joints: the model's, and parents with children."""
    joint_of = {int(body): joint for joint, body in enumerate(humanoid.body_ids)}
    pairs = {(joint_of[int(s) >> 16], joint_of[int(s) & 0xFFFF]) for s in humanoid.model.exclude_signature}
    pairs |= {(parent, joint) for joint, parent in enumerate(skeleton.parents()) if parent >= 0}
    return {(min(pair), max(pair)) for pair in pairs}


def filter_masks(pairs: set[tuple[int, int]], n_parts: int) -> list[int]:
    """Return a bit mask for every part, such that two share a bit exactly where they are one of the `pairs`.

    In Isaac Gym two shapes of an actor collide unless their filters share a bit. Every bit stands for a group
    of parts that are all excluded from each other (a clique of the pairs), found greedily. Raises ValueError
    where more than 31 groups are needed.
    """
    masks = [0] * n_parts
    uncovered, bit = set(pairs), 0
    while uncovered:
        group = _grow_group(min(uncovered), pairs, uncovered, n_parts)
        uncovered -= set(combinations(sorted(group), 2))
        for part in group:
            masks[part] |= 1 << bit
        bit += 1
    if bit > MAX_MASKS:
        raise ValueError(f"the excluded pairs need {bit} collision filters, Isaac Gym has {MAX_MASKS}")
    return masks


def _grow_group(
    pair: tuple[int, int], pairs: set[tuple[int, int]], uncovered: set[tuple[int, int]], n_parts: int
) -> set[int]:
    """Return a largest group around a pair to which no part can be added, preferring parts with uncovered pairs."""
    group = set(pair)
    while True:
        links = {part: {(min(part, other), max(part, other)) for other in group} for part in range(n_parts)}
        fitting = [part for part in links if part not in group and links[part] <= pairs]
        if not fitting:
            return group
        group.add(max(fitting, key=lambda part: len(links[part] & uncovered)))
