"""How a simulator is set up beyond the humanoid and the number of worlds."""

from dataclasses import dataclass

from skeleton2stage.settings import setting


@dataclass(frozen=True)
class BufferSizes:
    """Room for contacts in engines that allocate it beforehand.

    contacts_per_world: contacts, and pairs of parts near each other, in the mean over worlds: they share one pool.
    constraints_per_world: rows that the solver can hold in each world; a contact with friction takes four.
    """

    contacts_per_world: int
    constraints_per_world: int

    def at_least(self, other: "BufferSizes") -> "BufferSizes":
        """Return the larger of each."""
        return BufferSizes(
            max(self.contacts_per_world, other.contacts_per_world),
            max(self.constraints_per_world, other.constraints_per_world),
        )


# Twice what limp humanoids came to at worst, dropped in random poses with parts through parts: 45 contacts and 180
# rows in 40 falls.
DEFAULT_BUFFERS = BufferSizes(contacts_per_world=96, constraints_per_world=384)


@dataclass(frozen=True)
class SimulatorOptions:
    """Settings of the simulators that run on a GPU; the CPU's need none.

    device: cuda, cuda:N, or cpu for one slow CPU thread.
    buffers: room for contacts; `contact_buffers.probe_buffers` measures what a data set needs.
    use_graph: replay each control step as one recorded CUDA graph.
    deterministic: the same results every time to the last bit, for some speed.
    """

    device: str = setting(default="cuda", may_change=True)
    buffers: BufferSizes = setting(default=DEFAULT_BUFFERS, may_change=True)
    use_graph: bool = setting(default=True, may_change=True)
    deterministic: bool = setting(default=False, may_change=True)
