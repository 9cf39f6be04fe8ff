"""Training windows: 5 s of motion and of its music, held on the training device and augmented there."""

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from skeleton2stage.arrays import read_npz
from skeleton2stage.errors import UserError
from skeleton2stage.files import write_npz
from skeleton2stage.motion.motion_layout import MotionLayout, layout_named
from skeleton2stage.motion.scaler import MinMaxScaler
from skeleton2stage.motion.skeleton import N_JOINTS, mirror_order
from skeleton2stage.music.columns import BEAT, CHROMA, MFCC, ONSET, PEAK
from skeleton2stage.settings import check_own_settings, setting

TIMBRE = slice(MFCC.start, CHROMA.stop)
_FIT_CHUNK = 512  # windows whose range is taken at a time
# How entries of a rotation's first two rows change sign when x is reflected on both sides of the matrix.
_MIRROR_ROT6D = (1.0, -1.0, -1.0, -1.0, 1.0, 1.0)


@dataclass(frozen=True)
class AugmentConfig:
    """What may differ between two looks at the same window."""

    mirror: bool = setting("half of the windows with left and right exchanged", default=True)
    yaw_steps: int = setting(
        "windows turned about the vertical by random multiples of 360 / this degrees; 0: never", default=0, minimum=0
    )
    offset_m: float = setting(
        "each window, its start over the origin, is moved by up to this along x and y", default=0.0, minimum=0
    )
    any_start: bool = setting(
        "windows begin in any frame, up to the next one's first, not only every stride_s", default=False
    )
    shuffle_timbre: bool = setting(
        "each window's percussion sounds like another's, or the model knows windows by their sound", default=False
    )
    shuffle_onsets: float = setting(
        "share of windows with the onsets and peaks of another: beats alone then tell when to move",
        default=0.0, minimum=0, maximum=1,
    )
    timbre_shift: float = setting(
        "and otherwise than all, by a random constant of this many deviations for each feature of timbre",
        default=0.0, minimum=0,
    )
    softest_onset: float = setting(
        "a window's onsets are weaker, by a factor down to this, evenly random in its logarithm: in songs they are a "
        "fifth as strong as percussion's",
        default=1.0, above=0, maximum=1,
    )
    onset_noise: float = setting(
        "and there are others, weak ones in every frame, evenly random up to a limit, itself evenly random in each "
        "window up to this",
        default=0.0, minimum=0,
    )

    def __post_init__(self) -> None:
        check_own_settings(self)

    @property
    def changes_music(self) -> bool:
        """Whether music is changed, which takes the baseline's features."""
        shuffled = self.shuffle_timbre or self.shuffle_onsets > 0
        return shuffled or self.timbre_shift > 0 or self.softest_onset < 1 or self.onset_noise > 0


@dataclass(frozen=True)
class DanceWindows:
    """Windows of T frames cut from clips.

    frames: [F, D] float32 motion vectors, unscaled, of all clips one after the other.
    starts: [N] int64, the frame at which each window starts. clips: [N] int64, the clip it is from.
    music: [N, T, W] float32, each window's music.
    names: the clips' names.
    """

    frames: torch.Tensor
    starts: torch.Tensor
    clips: torch.Tensor
    music: torch.Tensor
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def window_frames(self) -> int:
        """Frames of a window."""
        return self.music.shape[1]

    def vectors(self, index: torch.Tensor) -> torch.Tensor:
        """Return the motion vectors [B, T, D] of windows [B]."""
        offsets = torch.arange(self.window_frames, device=self.frames.device)
        return self.frames[self.starts[index][:, None] + offsets]

    def draw(self, batch: int, config: AugmentConfig) -> tuple[torch.Tensor, torch.Tensor]:
        """Return motion vectors [B, T, D] and music [B, T, W] of random windows, as they start and sound."""
        device = self.frames.device
        index = torch.randint(len(self), (batch,), device=device)
        later = torch.zeros_like(index)
        if config.any_start:
            later = (torch.rand(batch, device=device) * self._strides()[index]).long()
        vectors, music = self.starting_later(index, later)
        return vectors, otherwise_mixed(self._exchanged(music, config), config) if config.changes_music else music

    def _exchanged(self, music: torch.Tensor, config: AugmentConfig) -> torch.Tensor:
        """Return baseline features [B, T, W] with the timbre, and with the onsets, of windows drawn at random."""
        if config.shuffle_timbre:
            music = torch.cat((music[..., ONSET], self._any(music)[..., TIMBRE], music[..., TIMBRE.stop :]), dim=-1)
        if config.shuffle_onsets > 0:
            own = torch.rand(len(music), 1, 1, device=music.device) >= config.shuffle_onsets
            other = torch.where(own, music, self._any(music))
            music = torch.cat((other[..., ONSET], music[..., TIMBRE], other[..., PEAK], music[..., BEAT]), dim=-1)
        return music

    def _any(self, like: torch.Tensor) -> torch.Tensor:
        """Return the music [B, T, W] of as many windows drawn at random."""
        return self.music[torch.randint(len(self), (len(like),), device=like.device)]

    def starting_later(self, index: torch.Tensor, later: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return motion vectors [B, T, D] and music [B, T, W] of windows [B], `later` [B] frames after their starts.

        Music that a window lacks is the next one's. Frames after its stride there is none.
        """
        frames = later[:, None] + torch.arange(self.window_frames, device=self.frames.device)
        vectors = self.frames[self.starts[index][:, None] + frames]
        beyond = frames >= self.window_frames
        source = torch.where(beyond, index[:, None] + 1, index[:, None]).clamp(max=len(self) - 1)
        return vectors, self.music[source, torch.where(beyond, frames - self._strides()[index][:, None], frames)]

    def _strides(self) -> torch.Tensor:
        """Return how many frames later the next window of the same dance starts, [N]; 0 for the last one."""
        strides = torch.cat((self.starts.diff(), self.starts.new_zeros(1)))
        # Dances follow each other in `frames`, and each has a window to its end at least.
        return torch.where(strides < self.window_frames, strides, 0)

    def split(self, held_out: tuple[str, ...]) -> "tuple[DanceWindows, DanceWindows]":
        """Return the windows of all other clips, and of the held-out ones; raise UserError for one that is missing."""
        absent = sorted(set(held_out) - set(self.names))
        if absent:
            raise UserError(
                f"held_out names {', '.join(absent)}, but there is no such clip (quote names like '60_12'; [] for none)"
            )
        held = torch.tensor([name in held_out for name in self.names], dtype=torch.bool)[self.clips]
        return self._subset(~held), self._subset(held)

    def _subset(self, mask: torch.Tensor) -> "DanceWindows":
        return replace(self, starts=self.starts[mask], clips=self.clips[mask], music=self.music[mask])

    def to(self, device: torch.device | str) -> "DanceWindows":
        """Return the windows with all arrays on a device."""
        arrays = {name: getattr(self, name).to(device) for name in ("frames", "starts", "clips", "music")}
        return replace(self, **arrays)

    def save(self, path: Path, made_from: str = "") -> None:
        """Write one npz; `made_from` is text by which the maker recognises its inputs."""
        arrays = {name: getattr(self, name).cpu().numpy() for name in ("frames", "starts", "clips", "music")}
        write_npz(path, **arrays, names=np.array(self.names), made_from=np.array(made_from))


def load_windows(path: Path) -> DanceWindows:
    """Read the npz of `DanceWindows.save`; raise UserError where it is missing, damaged or another file."""
    file = read_npz(path)
    try:
        arrays = {name: torch.from_numpy(file[name]) for name in ("frames", "starts", "clips", "music")}
        return DanceWindows(**arrays, names=tuple(file["names"].tolist()))
    except (KeyError, ValueError, TypeError) as error:
        raise UserError(f"{path} is not a file of training windows ({error}): prepare it again") from None


def made_from(path: Path) -> str | None:
    """Return the text that `DanceWindows.save` kept, None where there is no readable file."""
    try:
        return str(read_npz(path, ("made_from",))["made_from"])
    except (UserError, KeyError):
        return None


def centred(vectors: torch.Tensor, layout: MotionLayout) -> torch.Tensor:
    """Return windows [B, T, D] moved so that each starts over the origin; heights stay."""
    start = torch.zeros_like(vectors[:, :1])
    start[..., _planar(layout)] = vectors[:, :1, _planar(layout)]
    return vectors - start


def moved(vectors: torch.Tensor, offset_m: torch.Tensor, layout: MotionLayout) -> torch.Tensor:
    """Return windows [B, T, D] moved by offsets [B, 2] in the floor's plane."""
    result = vectors.clone()
    result[..., _planar(layout)] += offset_m[:, None]
    return result


def turned(vectors: torch.Tensor, yaw_rad: torch.Tensor, layout: MotionLayout) -> torch.Tensor:
    """Return windows [B, T, D] turned about the z axis through the origin by angles [B]."""
    result = vectors.clone()
    cos, sin = yaw_rad.cos()[:, None, None], yaw_rad.sin()[:, None, None]
    # The first two rows of Rz R are the same mixture of R's first two rows as Rz p is of p's x and y.
    root = vectors[..., layout.rot6d][..., :6]
    for part, x, y in (
        (_planar(layout), *vectors[..., _planar(layout)].split(1, dim=-1)),
        (slice(layout.rot6d.start, layout.rot6d.start + 6), *root.split(3, dim=-1)),
    ):
        result[..., part] = torch.cat((cos * x - sin * y, sin * x + cos * y), dim=-1)
    return result


def mirrored(vectors: torch.Tensor, layout: MotionLayout) -> torch.Tensor:
    """Return windows [B, T, D] reflected in the plane x = 0, left and right exchanged."""
    source, sign = _mirror_table(layout.name, vectors.device)
    return vectors.index_select(-1, source) * sign


@lru_cache(maxsize=8)
def _mirror_table(layout_name: str, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Return for each feature of a mirrored vector which feature it comes from, and with which sign, [D].

    Kept per device: copying the tables there for every batch would wait for the GPU each time.
    """
    layout, order = layout_named(layout_name), mirror_order()
    source, sign = torch.arange(layout.width), torch.ones(layout.width)
    rot6d = source[layout.rot6d].clone().unflatten(0, (N_JOINTS, 6))
    source[layout.rot6d] = rot6d[order].flatten()
    sign[layout.rot6d] = torch.tensor(_MIRROR_ROT6D).repeat(N_JOINTS)
    sign[layout.translation.start] = -1.0
    partner = [layout.contact_joints.index(order[joint]) for joint in layout.contact_joints]
    source[layout.contacts] = source[layout.contacts].clone()[partner]
    return source.to(device), sign.to(device)


def otherwise_mixed(music: torch.Tensor, config: AugmentConfig) -> torch.Tensor:
    """Return baseline features [B, T, W] as of softer onsets, among other sound, in other timbres, at random.

    Percussion alone has onsets of strength 28 on its beats and of 0 between them, songs have 4 to 8 and 1.
    """
    batch, frames, _ = music.shape
    onset, timbre = music[..., ONSET], music[..., TIMBRE]
    if config.softest_onset < 1:
        onset = onset * config.softest_onset ** torch.rand(batch, 1, 1, device=music.device)
    if config.onset_noise > 0:
        limit = config.onset_noise * torch.rand(batch, 1, 1, device=music.device)
        onset = onset + limit * torch.rand(batch, frames, 1, device=music.device)
    if config.timbre_shift > 0:
        deviation = timbre.std(dim=(0, 1))
        timbre = timbre + config.timbre_shift * deviation * torch.randn(batch, 1, len(deviation), device=music.device)
    return torch.cat((onset, timbre, music[..., TIMBRE.stop :]), dim=-1)


def augment(vectors: torch.Tensor, config: AugmentConfig, layout: MotionLayout) -> torch.Tensor:
    """Return windows [B, T, D] centred, then mirrored, turned and moved at random."""
    batch, device = len(vectors), vectors.device
    vectors = centred(vectors, layout)
    if config.mirror:
        flip = torch.rand(batch, device=device) < 0.5
        vectors = torch.where(flip[:, None, None], mirrored(vectors, layout), vectors)
    if config.yaw_steps:
        steps = torch.randint(config.yaw_steps, (batch,), device=device)
        vectors = turned(vectors, steps * (2 * math.pi / config.yaw_steps), layout)
    offset_m = (2 * torch.rand(batch, 2, device=device) - 1) * config.offset_m
    return moved(vectors, offset_m, layout)


def fit_scaler(
    windows: DanceWindows, config: AugmentConfig, layout: MotionLayout, place_range: float = 1.0
) -> MinMaxScaler:
    """Return the scaler of everything that `augment` can make of the windows, to [-1, 1].

    The pelvis' place on the floor goes to ± place_range. Its range is that of the few windows that travel
    furthest: most stay within a tenth of it, where noise that is small for joints moves the body by decimetres.
    """
    ranges = []
    for index in torch.arange(len(windows), device=windows.frames.device).split(_FIT_CHUNK):
        vectors = centred(windows.vectors(index), layout)
        for variant in (vectors, mirrored(vectors, layout)) if config.mirror else (vectors,):
            ranges += [_range(look) for look in _turns(variant, config.yaw_steps, layout)]
    bounds = torch.stack(ranges)
    low, high = bounds[:, 0].min(dim=0).values, bounds[:, 1].max(dim=0).values
    low[_planar(layout)] -= config.offset_m
    high[_planar(layout)] += config.offset_m
    return MinMaxScaler.fit(torch.stack((low, high))).widened(_planar(layout), place_range)


def _turns(vectors: torch.Tensor, yaw_steps: int, layout: MotionLayout) -> list[torch.Tensor]:
    angles = torch.arange(max(1, yaw_steps), device=vectors.device) * (2 * math.pi / max(1, yaw_steps))
    return [turned(vectors, angle.expand(len(vectors)), layout) for angle in angles]


def _range(vectors: torch.Tensor) -> torch.Tensor:
    flat = vectors.flatten(0, 1)
    return torch.stack((flat.min(dim=0).values, flat.max(dim=0).values))


def _planar(layout: MotionLayout) -> slice:
    return slice(layout.translation.start, layout.translation.start + 2)
