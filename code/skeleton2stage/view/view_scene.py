"""The viewer's stage: dancers with bones, the triangles that pass through others, spots under feet."""

from collections.abc import Sequence

import numpy as np
import viser

from skeleton2stage.motion import skeleton
from skeleton2stage.render.clips import PANEL_COLOURS
from skeleton2stage.render.marks import (
    FEET,
    NONE,
    PENETRATION_RGB,
    SLIDING,
    SLIDING_RGBA,
    STILL,
    STILL_RGBA,
)
from skeleton2stage.view.dancers import Dancer, bind_pose, is_rigid
from skeleton2stage.view.moment_table import named

LAYOUTS = ("side by side", "overlaid")
SPACING_M = 1.7
OVERLAID_OPACITY = 0.55
MAX_MARKED = 4000  # triangles of one dancer that are marked at once
_DISC_RADIUS_M, _DISC_HEIGHT_M = 0.075, 0.004
_FLOOR_M = 24.0
_NAME_HEIGHT_M, _NAME_SIZE_M, _NAME_STEP_M = 1.9, 0.1, 0.16
_MARK = tuple(round(255 * value) for value in PENETRATION_RGB)
_SPOTS = {state: tuple(round(255 * value) for value in rgba[:3])
          for state, rgba in ((STILL, STILL_RGBA), (SLIDING, SLIDING_RGBA))}


class ViewScene:
    """Everything of the dancers that is in the browser's scene; right_w: [3], along which they stand in a row."""

    def __init__(self, server: viser.ViserServer, dancers: Sequence[Dancer], right_w: np.ndarray) -> None:
        self._server, self._dancers, self.right_w = server, dancers, right_w
        scene = server.scene
        scene.set_up_direction("+z")
        self._floor = scene.add_grid(
            "/floor", width=_FLOOR_M, height=_FLOOR_M, cell_size=0.25, section_size=1.0,
            cell_color=(205, 208, 214), section_color=(150, 155, 165), plane="xy",
        )
        self._skins = [self._add_skin(number, dancer) for number, dancer in enumerate(dancers)]
        self._marks = [self._add_marks(number, dancer) for number, dancer in enumerate(dancers)]
        self._spots = [self._add_spots(number) for number in range(len(dancers))]
        self._names = [
            scene.add_label(f"/name_{number}", dancer.label, font_size_mode="scene", font_scene_height=_NAME_SIZE_M)
            for number, dancer in enumerate(dancers)
        ]
        self._origins, self._name_steps = np.zeros((len(dancers), 3)), np.zeros(len(dancers))
        self.shown = [True] * len(dancers)
        self.penetration = self.contacts = True

    def _add_skin(self, number: int, dancer: Dancer) -> viser.MeshSkinnedHandle:
        vertices, joints, weights = bind_pose(dancer.figure)
        return self._server.scene.add_mesh_skinned(
            f"/dancer_{number}/skin", vertices, dancer.figure.faces, bone_positions=joints, skin_weights=weights,
            bone_wxyzs=np.tile([1.0, 0.0, 0.0, 0.0], (skeleton.N_JOINTS, 1)), flat_shading=is_rigid(dancer.figure),
            color=tuple(round(255 * value) for value in PANEL_COLOURS[number % len(PANEL_COLOURS)]),
        )

    def _add_marks(self, number: int, dancer: Dancer) -> viser.MeshHandle | None:
        n_marked = min(max(map(len, dancer.marked)), MAX_MARKED)
        if n_marked == 0:
            return None
        return self._server.scene.add_mesh_simple(
            f"/dancer_{number}/marks", np.zeros((3 * n_marked, 3), np.float32), np.arange(3 * n_marked).reshape(-1, 3),
            color=_MARK, side="double", cast_shadow=False, receive_shadow=False, flat_shading=True,
        )

    def _add_spots(self, number: int) -> list[viser.MeshHandle]:
        return [
            self._server.scene.add_cylinder(
                f"/dancer_{number}/spot_{foot}", _DISC_RADIUS_M, _DISC_HEIGHT_M, color=_SPOTS[STILL], visible=False,
                cast_shadow=False, receive_shadow=False,
            )
            for foot in range(len(FEET))
        ]

    def leave(self) -> None:
        """Take everything out of the scene, for another of the same server to follow."""
        marks = [mesh for mesh in self._marks if mesh is not None]
        for handle in (self._floor, *marks, *(spot for spots in self._spots for spot in spots), *self._names):
            handle.remove()
        # The page of viser 1.1.1 breaks where a skinned mesh is removed. One of the same name takes its place.
        for skin in self._skins:
            skin.visible = False

    def lay_out(self, layout: str) -> None:
        """Put the dancers that are shown in a row, or all where they dance, seen through each other."""
        row = [number for number, shown in enumerate(self.shown) if shown]
        for number, skin in enumerate(self._skins):
            place = row.index(number) if number in row else 0
            apart = layout == LAYOUTS[0]
            beginning = self._dancers[number].motion.translation[0] * [1.0, 1.0, 0.0]
            slot = SPACING_M * (place - (len(row) - 1) / 2) * self.right_w
            # Overlaid dances keep their own places: how far they part is part of the comparison.
            self._origins[number] = slot - beginning if apart else -self._dancers[0].motion.translation[0] * [1, 1, 0]
            skin.visible = self.shown[number]
            skin.opacity = None if apart or len(row) < 2 else OVERLAID_OPACITY
            skin.position = self._origins[number]
            self._names[number].visible = self.shown[number]
            # Of dances that share a place, or names would hide each other.
            self._name_steps[number] = 0.0 if apart else _NAME_STEP_M * place

    def middle(self, frame: int) -> np.ndarray:
        """Return the point [3] m between the dancers that are shown, from above."""
        places = [self._origins[number] + dancer.motion.translation[min(frame, len(dancer) - 1)]
                  for number, dancer in enumerate(self._dancers) if self.shown[number]]
        return np.mean(places, axis=0) if places else np.array([0.0, 0.0, 0.9])

    def show(self, frame: int) -> None:
        """Show a frame; a dance that has ended stays in its last pose."""
        with self._server.atomic():
            for number, dancer in enumerate(self._dancers):
                own = min(frame, len(dancer) - 1)
                if self.shown[number]:
                    poses = dancer.bone_quats[own], dancer.bone_positions[own]
                    for bone, quat_wxyz, position in zip(self._skins[number].bones, *poses, strict=True):
                        bone.wxyz, bone.position = quat_wxyz, position
                    above_w = dancer.bone_positions[own, 0] * [1.0, 1.0, 0.0]
                    above_w[2] = _NAME_HEIGHT_M + self._name_steps[number]
                    self._names[number].position = self._origins[number] + above_w
                    self._names[number].text = named(dancer, frame)
                self._show_marks(number, dancer, own)
                self._show_spots(number, dancer, own)

    def _show_marks(self, number: int, dancer: Dancer, frame: int) -> None:
        mesh = self._marks[number]
        if mesh is None:
            return
        mesh.visible = self.penetration and self.shown[number] and len(dancer.marked[frame]) > 0
        if mesh.visible:
            corners = np.zeros_like(mesh.vertices)
            chosen = dancer.marked[frame].reshape(-1, 3)[: len(corners)]
            corners[: len(chosen)], corners[len(chosen):] = chosen, chosen[0]
            mesh.vertices, mesh.position = corners, self._origins[number]

    def _show_spots(self, number: int, dancer: Dancer, frame: int) -> None:
        for spot, joint, state in zip(self._spots[number], FEET, dancer.contacts[frame], strict=True):
            spot.visible = bool(self.contacts and self.shown[number] and state != NONE)
            if spot.visible:
                spot.color = _SPOTS[int(state)]
                spot.position = self._origins[number] + dancer.bone_positions[frame, joint] * [1.0, 1.0, 0.0]
