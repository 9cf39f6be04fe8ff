"""What a simulator must offer to be served: its half of the transport."""

from abc import ABC, abstractmethod


class Host(ABC):
    """A simulator in the worker. `arrays` are those of `protocol.array_layout`, views of shared memory.

    A module `NAME_host.py` in this folder has a function `make_host(folder, n_worlds, options)` that returns
    one: `folder` holds what the other side wrote for it, `options` is a dict of plain values.
    """

    # Names of the further quantities that `measure` knows.
    provides = ()

    @abstractmethod
    def packages(self) -> dict:
        """Return the versions, by name, of the packages that matter."""

    @abstractmethod
    def set_state(self, n: int, arrays: dict) -> None:
        """Set worlds[:n] to the first n rows of the `set_` arrays."""

    @abstractmethod
    def step(self, arrays: dict) -> None:
        """Advance by one control step under `target_quat_local` and `wrench_w`."""

    @abstractmethod
    def publish(self, arrays: dict) -> None:
        """Write the present state of every world into the arrays that are read, `diverged` included."""

    def measure(self, name: str, arrays: dict) -> None:
        """Write a further quantity into the array of its name."""
        raise ValueError(f"this worker does not measure {name}")
