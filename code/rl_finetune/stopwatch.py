"""Where the seconds of an epoch go."""

import time

import torch


class Stopwatch:
    """Times the phases of an epoch, each until its work on the device is done."""

    def __init__(self, device: torch.device) -> None:
        self._device, self._laps = device, {}
        self._begun = self._last = time.perf_counter()
        self._processor_begun = time.process_time()

    def lap(self, phase: str) -> None:
        """End a phase."""
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        now = time.perf_counter()
        self._laps[phase], self._last = now - self._last, now

    def figures(self) -> dict[str, float]:
        """Return the seconds of all phases together and of each, and what all threads of this process took of them.

        `cpu_seconds` is what to compare runs by that shared a machine's cores.
        """
        laps = {f"seconds/{phase}": seconds for phase, seconds in self._laps.items()}
        cpu_seconds = time.process_time() - self._processor_begun
        return {"seconds": self._last - self._begun, "cpu_seconds": cpu_seconds} | laps
