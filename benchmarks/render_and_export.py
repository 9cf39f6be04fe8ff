"""Pictures a second that `render` draws, by shape and antialiasing, and seconds that `export` takes for a dance.

python benchmarks/render_and_export.py [frames=60] [rounds=3] [width=1280] [height=720] [motion=FILE]

Without a motion file, a dance of the shipped model to synthesised music is made first. Drawing is measured without
ffmpeg, and with it for the video's default settings. Prints JSON; the best of the rounds. On cores that others use too,
CPU milliseconds a picture, of all threads, say more than pictures a second.
"""

import json
import os
import platform
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from skeleton2stage import paths
from skeleton2stage.body.body_model import load_body
from skeleton2stage.config import read_options
from skeleton2stage.errors import UserError, run_main
from skeleton2stage.export.obj_sequence import write_obj_sequence
from skeleton2stage.export.skinned_glb import write_glb
from skeleton2stage.motion.formats.read_motion import read_motion
from skeleton2stage.motion.formats.write_bvh import write_bvh
from skeleton2stage.motion.motion import Motion
from skeleton2stage.render import gl
from skeleton2stage.render.clips import Renderer
from skeleton2stage.render.figures import make_figure
from skeleton2stage.render.look import Look

LOOKS = {
    "mesh, 4 samples": {}, "mesh, no antialiasing": {"samples": 0},
    "mesh, penetration and contacts marked": {"marks": ("penetration", "contacts")},
    "hulls, 4 samples": {"shapes": ("hulls",)},
    "sticks, no antialiasing, no shadows": {"shapes": ("sticks",), "samples": 0, "shadows": False},
}


@dataclass(frozen=True)
class Options:
    """What is measured, from the command line."""

    frames: int = 60
    rounds: int = 3
    width: int = 1280
    height: int = 720
    motion: Path | None = None


def dance(seconds: float) -> Motion:
    """Return a dance of the shipped model to synthesised music."""
    from rl_finetune import sample
    from skeleton2stage.music import tracks

    with tempfile.TemporaryDirectory() as folder:
        tracks.main([f"source={paths.demo_checkpoints() / 'tracks_held_out.json'}", f"out={folder}/music"])
        song = sorted(Path(folder, "music").glob("*.wav"))[0]
        sample.main([f"music={song}", f"out={folder}/dances", f"seconds={seconds}"])
        return read_motion(next(Path(folder, "dances").glob("*.pkl")))


def timed(work: Callable[[], None], rounds: int) -> tuple[float, float]:
    """Return the least wall and CPU seconds of some rounds of work; the latter of all threads, and of ffmpeg."""
    walls, cpus = [], []
    for _ in range(rounds):
        wall, cpu = time.perf_counter(), sum(os.times()[:4])
        work()
        walls.append(time.perf_counter() - wall)
        cpus.append(sum(os.times()[:4]) - cpu)
    return min(walls), min(cpus)


def drawing(motion: Motion, options: Options, look: Look) -> dict[str, float]:
    """Return pictures a second and CPU milliseconds a picture, of drawing alone."""
    with Renderer([make_figure(look.shapes[0], "open")], look) as renderer:
        panels = renderer._panels([motion])

        def draw() -> None:
            for _ in renderer._pictures(panels, [""], range(len(motion)), "drawing", {}):
                pass

        draw()  # drivers compile shaders when they are first used
        wall, cpu = timed(draw, options.rounds)
    return rates(len(motion), wall, cpu)


def video(renderer: Renderer, path: Path, motion: Motion, rounds: int) -> dict[str, float] | str:
    """Return rates of a whole video, or why there is none, such as a machine without ffmpeg."""
    try:
        return rates(len(motion), *timed(lambda: renderer.write(path, [motion], [""]), rounds))
    except UserError as error:
        return str(error)


def rates(n_pictures: int, wall_s: float, cpu_s: float) -> dict[str, float]:
    """Return pictures a second and CPU milliseconds a picture."""
    return {"pictures_a_second": round(n_pictures / wall_s, 1), "cpu_ms_a_picture": round(1000 * cpu_s / n_pictures, 1)}


def main(arguments: list[str]) -> None:
    """Measure and print."""
    options = read_options(arguments, Options)
    long = read_motion(options.motion) if options.motion else dance(20)
    short, body = long.slice(0, options.frames), load_body("open")
    look = Look(width=options.width, height=options.height, sheet_pictures=0)
    found = {"drawn by": gl.backend(), "cpu": platform.processor() or platform.machine()}
    found["drawing"] = {name: drawing(short, options, replace(look, **change)) for name, change in LOOKS.items()}
    with tempfile.TemporaryDirectory() as folder, Renderer([body], look) as renderer:
        out = Path(folder)
        found["video, poses and ffmpeg included"] = video(renderer, out / "a.mp4", short, options.rounds)
        exports = {
            "glb": lambda: write_glb(out / "a.glb", long, body, "a"),
            "bvh": lambda: write_bvh(out / "a.bvh", long),
            "obj, 30 frames": lambda: write_obj_sequence(out / "obj", long.slice(0, 30), body),
        }
        found[f"export of {len(long)} frames, s"] = {
            name: round(timed(work, options.rounds)[0], 2) for name, work in exports.items()
        }
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    run_main(main)
