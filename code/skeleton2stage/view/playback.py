"""The viewer's clock: which moment of the dances is shown, whatever is pressed and however fast pictures come."""

from dataclasses import dataclass

SPEEDS = (0.1, 0.25, 0.5, 1.0, 1.5, 2.0)


@dataclass
class Playback:
    """A position in a dance that moves with a clock while it plays.

    duration_s: of the longest dance. time_s: the moment shown. It begins again at the end, unless `loop` is off.
    """

    duration_s: float
    fps: float
    time_s: float = 0.0
    playing: bool = False
    speed: float = 1.0
    loop: bool = True
    _clock_s: float | None = None

    @property
    def n_frames(self) -> int:
        """How many frames there are."""
        return max(1, round(self.duration_s * self.fps))

    @property
    def frame(self) -> int:
        """The frame shown."""
        return min(int(self.time_s * self.fps + 1e-6), self.n_frames - 1)

    def play(self, clock_s: float) -> None:
        """Go on from here, or from the beginning where the end is reached."""
        if self.frame == self.n_frames - 1:
            self.time_s = 0.0
        self.playing, self._clock_s = True, clock_s

    def pause(self) -> None:
        """Stay here."""
        self.playing = False

    def seek(self, time_s: float) -> None:
        """Show the frame nearest to another moment."""
        last_s = (self.n_frames - 1) / self.fps
        self.time_s = round(min(max(time_s, 0.0), last_s) * self.fps) / self.fps

    def step(self, n_frames: int) -> None:
        """Pause, and show the frame so many frames on."""
        self.pause()
        self.seek((self.frame + n_frames) / self.fps)

    def change_speed(self, places: int) -> None:
        """Take the next faster (1) or slower (-1) of SPEEDS."""
        at = min(range(len(SPEEDS)), key=lambda index: abs(SPEEDS[index] - self.speed))
        self.speed = SPEEDS[min(max(at + places, 0), len(SPEEDS) - 1)]

    def tick(self, clock_s: float) -> bool:
        """Move with the clock (s); return whether the dances began again."""
        if not self.playing:
            return False
        self.time_s += self.speed * (clock_s - self._clock_s)
        self._clock_s = clock_s
        if self.time_s < self.duration_s:
            return False
        self.time_s = self.time_s % self.duration_s if self.loop else (self.n_frames - 1) / self.fps
        self.playing = self.loop
        return self.loop
