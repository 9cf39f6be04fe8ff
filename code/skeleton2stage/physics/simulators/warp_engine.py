"""MuJoCo Warp behind torch tensors: many worlds of one model in a GPU's memory, stepped by recorded CUDA graphs.

Nothing here waits for the GPU. The engine's arrays are seen through torch without a copy, and its work is put
on torch's own stream, so that torch's operations and the engine's follow each other in program order.
"""

import copy
from collections.abc import Callable

import mujoco
import mujoco_warp as mjw
import torch
import warp as wp

from skeleton2stage.errors import UserError
from skeleton2stage.physics.repeatable_sums import summed_by_index
from skeleton2stage.physics.simulators.simulator_options import SimulatorOptions
from skeleton2stage.warp_devices import warp_device

# What runs out, and the setting that gives it more.
_OVERFLOWS = {
    mjw.OverflowType.NEFC: "constraints_per_world",
    mjw.OverflowType.NJMAX_NNZ: "constraints_per_world",
    mjw.OverflowType.BROADPHASE: "contacts_per_world",
    mjw.OverflowType.NARROWPHASE: "contacts_per_world",
    mjw.OverflowType.CCD: "contacts_per_world",
}
_STEPS_BETWEEN_CHECKS = 30
_SPARE_CONTACTS = 256  # few worlds do not average out
_DEPTH_UNIT_M = 1e-8  # under what single precision tells of a depth of a decimetre


def simulator_device(name: str) -> wp.Device:
    """Return Warp's device for cuda, cuda:N or cpu; raise UserError where there is no such GPU."""
    if name != "cpu" and not torch.cuda.is_available():
        raise UserError(
            f"simulator mujoco_warp finds no NVIDIA GPU for device={name}: choose simulator=mujoco, "
            "or device=cpu to run it on one CPU thread"
        )
    return warp_device(torch.device(name))


class WarpEngine:
    """W worlds of a model; the attributes are its arrays as torch tensors, the world first in each.

    qpos [W, nq], qvel [W, nv], ctrl [W, nu], xfrc_applied [W, nbody, 6], qacc_warmstart [W, nv]: what one sets;
    xpos [W, nbody, 3], xquat [W, nbody, 4], cvel [W, nbody, 6], subtree_com [W, nbody, 3],
    actuator_force [W, nu], overflow [W] (bits): what one reads.
    """

    def __init__(self, model: mujoco.MjModel, n_worlds: int, substeps: int, options: SimulatorOptions) -> None:
        self.wp_device = simulator_device(options.device)
        self.device = torch.device(wp.device_to_torch(self.wp_device))
        self._substeps = substeps
        self._floor = model.geom("floor").id
        with wp.ScopedDevice(self.wp_device):
            self._model = _put_model(model, options.deterministic)
            contacts = options.buffers.contacts_per_world
            self._data = mjw.make_data(
                model,
                nworld=n_worlds,
                nconmax=contacts,
                naconmax=contacts * n_worlds + _SPARE_CONTACTS,
                njmax=options.buffers.constraints_per_world,
            )
        self._share()
        graph = options.use_graph
        self.kinematics = _Launches(self._launch_kinematics, self.wp_device, graph)
        self.collide = _Launches(self._launch_collision, self.wp_device, graph)
        self.step = _Launches(self._launch_substeps, self.wp_device, graph)
        self.overflow.zero_()  # recording has stepped the model's own initial state, halfway into the floor

    def _share(self) -> None:
        data = self._data
        self.qpos, self.qvel = wp.to_torch(data.qpos), wp.to_torch(data.qvel)
        self.ctrl, self.xfrc_applied = wp.to_torch(data.ctrl), wp.to_torch(data.xfrc_applied)
        self.qacc_warmstart = wp.to_torch(data.qacc_warmstart)
        self.xpos, self.xquat = wp.to_torch(data.xpos), wp.to_torch(data.xquat)
        self.cvel, self.subtree_com = wp.to_torch(data.cvel), wp.to_torch(data.subtree_com)
        self.actuator_force, self.overflow = wp.to_torch(data.actuator_force), wp.to_torch(data.overflow)
        self._contact_count = wp.to_torch(data.nacon)
        self._contact_geoms, self._contact_dist = wp.to_torch(data.contact.geom), wp.to_torch(data.contact.dist)
        self._contact_world = wp.to_torch(data.contact.worldid)
        self._contact_slots = torch.arange(len(self._contact_dist), device=self.device)

    def self_contact_depth(self) -> torch.Tensor:
        """Return each world's summed depth of contacts between body parts, [W] m, in its present state."""
        self.collide()
        counts = (self._contact_slots < self._contact_count) & (self._contact_geoms != self._floor).all(dim=1)
        depth = torch.where(counts, -self._contact_dist, 0.0).clamp(min=0.0)
        world = torch.where(counts, self._contact_world, 0)
        return summed_by_index(depth, world, len(self.qpos), _DEPTH_UNIT_M)

    def _launch_substeps(self) -> None:
        for _ in range(self._substeps):
            mjw.step(self._model, self._data)

    def _launch_kinematics(self) -> None:
        """Bring positions and velocities of bodies up to qpos and qvel, without contacts and forces."""
        mjw.kinematics(self._model, self._data)
        mjw.com_pos(self._model, self._data)
        mjw.com_vel(self._model, self._data)

    def _launch_collision(self) -> None:
        mjw.collision(self._model, self._data)


def _put_model(model: mujoco.MjModel, deterministic: bool) -> mjw.Model:
    model = copy.copy(model)
    model.opt.disableflags &= ~int(mujoco.mjtDisableBit.mjDSBL_AUTORESET)  # Warp never resets, nor knows the flag
    warp_model = mjw.put_model(model)
    warp_model.opt.warn_overflow = 0  # `OverflowWatch` tells; the engine would print every step
    warp_model.opt.deterministic = deterministic
    if not wp.is_conditional_graph_supported():
        warp_model.opt.graph_conditional = False
    return warp_model


class _Launches:
    """A fixed sequence of kernel launches: on a GPU recorded as a CUDA graph, which a call replays."""

    def __init__(self, launch: Callable[[], None], device: wp.Device, use_graph: bool) -> None:
        self._launch, self._device = launch, device
        self._graph: wp.Graph | None = None
        self._stream: wp.Stream | None = None
        try:
            self()  # compiles and loads the kernels, which is forbidden while recording
        except wp.WarpDeterminismError as error:
            raise UserError(
                f"mujoco_warp has no room for deterministic results of this many worlds ({error}): "
                "take fewer, or deterministic=false"
            ) from None
        if use_graph and device.is_cuda:
            # On Warp's stream: torch's default one cannot be recorded.
            with wp.ScopedDevice(device), wp.ScopedCapture(device) as capture:
                launch()
            self._graph = capture.graph

    def __call__(self) -> None:
        if not self._device.is_cuda:
            with wp.ScopedDevice(self._device):
                self._launch()
            return
        stream = self._torch_stream()
        if self._graph is not None:
            wp.capture_launch(self._graph, stream=stream)
            return
        with wp.ScopedStream(stream):
            self._launch()

    def _torch_stream(self) -> wp.Stream:
        """Return the stream that torch works on at present."""
        current = torch.cuda.current_stream(wp.device_to_torch(self._device))
        if self._stream is None or self._stream.cuda_stream != current.cuda_stream:
            self._stream = wp.stream_from_torch(current)
        return self._stream


class OverflowWatch:
    """Notices that worlds needed more room than the engine has, without making the GPU wait.

    What `note` sees is copied to the host now and then, and raised when the copy has arrived.
    """

    def __init__(self, device: torch.device, options: SimulatorOptions) -> None:
        self._options = options
        self._bits = torch.tensor([int(bit) for bit in _OVERFLOWS], dtype=torch.int32, device=device)
        self._seen = torch.zeros(len(_OVERFLOWS), dtype=torch.bool, device=device)
        self._on_host = torch.zeros(len(_OVERFLOWS), dtype=torch.bool, pin_memory=device.type == "cuda")
        self._copied = torch.cuda.Event() if device.type == "cuda" else None
        self._notes = 0

    def note(self, overflow: torch.Tensor, counted: torch.Tensor) -> None:
        """Add the overflow bits [W] of a step, of the worlds that are `counted` [W]; now and then raise UserError."""
        bits = (overflow[:, None] & self._bits) != 0
        self._seen |= (bits & counted[:, None]).any(dim=0)
        self._notes += 1
        if self._notes % _STEPS_BETWEEN_CHECKS == 0:
            self._raise_what_arrived()
            self._on_host.copy_(self._seen, non_blocking=True)
            if self._copied is not None:
                self._copied.record()

    def check(self) -> None:
        """Wait for what was noted so far; raise UserError that names the setting to raise."""
        _raise_overflow(self._seen.tolist(), self._options)

    def _raise_what_arrived(self) -> None:
        if self._copied is None or self._copied.query():
            _raise_overflow(self._on_host.tolist(), self._options)


def _raise_overflow(seen: list[bool], options: SimulatorOptions) -> None:
    settings = {setting for setting, is_seen in zip(_OVERFLOWS.values(), seen, strict=True) if is_seen}
    if settings:
        key = "simulator_options.buffers"
        wanted = " and ".join(f"{key}.{name} (now {getattr(options.buffers, name)})" for name in sorted(settings))
        raise UserError(f"the worlds touch more than simulator mujoco_warp has room for: raise {wanted}")
