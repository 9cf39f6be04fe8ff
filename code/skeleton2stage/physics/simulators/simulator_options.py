"""How a simulator is set up beyond the humanoid and the number of worlds."""

from dataclasses import dataclass

from skeleton2stage.settings import setting


@dataclass(frozen=True)
class BufferSizes:
    """Room for contacts in engines that allocate it beforehand.

    The defaults are twice what limp humanoids came to at worst, dropped in random poses with parts through parts: 45
    contacts and 180 rows in 40 falls.
    """

    contacts_per_world: int = setting(
        "contacts, and pairs of parts near each other, in the mean over worlds: they share one pool",
        default=96, minimum=1,
    )
    constraints_per_world: int = setting(
        "rows of each world's solver; a contact with friction takes four", default=384, minimum=1
    )

    def at_least(self, other: "BufferSizes") -> "BufferSizes":
        """Return the larger of each."""
        return BufferSizes(
            max(self.contacts_per_world, other.contacts_per_world),
            max(self.constraints_per_world, other.constraints_per_world),
        )


@dataclass(frozen=True)
class SimulatorOptions:
    """Settings of the simulators that run on a GPU; the CPU's need none.

    `contact_buffers.probe_buffers` measures what buffers a data set needs.
    """

    device: str = setting(
        "cuda, cuda:N, or, for mujoco_warp, cpu: one slow thread", default="cuda", may_change=True
    )
    buffers: BufferSizes = setting(
        "room for contacts; a run that needs more says which to raise", default=BufferSizes(), may_change=True
    )
    use_graph: bool = setting(
        "replay a control step as one recorded CUDA graph", default=True, may_change=True
    )
    deterministic: bool = setting(
        "the same to the last bit every time, for some speed; has no room for thousands of worlds",
        default=False, may_change=True,
    )


@dataclass(frozen=True, kw_only=True)
class SimulatorSettings:
    """What the physics runs in."""

    simulator: str = setting(
        "physics backend: mujoco (CPU), mujoco_warp (NVIDIA GPUs), isaacgym, or your own: FILE.py:CLASS",
        default="mujoco",
    )
    simulator_options: SimulatorOptions = setting(
        "of the simulators that run on a GPU (mujoco_warp, isaacgym); mujoco needs none", default=SimulatorOptions()
    )
