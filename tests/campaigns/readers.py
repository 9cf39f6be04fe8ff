"""Every reader of people's files, with a sound file of its kind."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import soundfile
import torch
from tool_samples import TOOLS, dance, features_of, joints_y_up, write_mdm, write_mdm_smpl

from dance_model import families
from dance_model.dance_music import music_sources
from dance_model.diffusion_loading import load as load_diffusion
from dance_model.edge import edge_checkpoint
from dance_model.sampling.keep import read_constraint
from dance_model.training.windows import DanceWindows, load_windows
from rl_finetune.rewards.reward_file import read_reward_file
from skeleton2stage import paths
from skeleton2stage.body.body_model import load_body
from skeleton2stage.evaluation.judge import load_yardstick
from skeleton2stage.files import write_json, write_pickle
from skeleton2stage.metrics.comparison import read_result
from skeleton2stage.metrics.motion_critic import read_critic
from skeleton2stage.metrics.reference_statistics import FEATURES, reference_of, write_reference
from skeleton2stage.motion.convert.conversion_jobs import read_clip_notes
from skeleton2stage.motion.formats.read_motion import read_motion, read_motion_files
from skeleton2stage.motion.formats.write_motion import write_motion
from skeleton2stage.motion.library import Clip, read_library, write_library
from skeleton2stage.motion.motion import Motion
from skeleton2stage.motion.positions import read_positions
from skeleton2stage.music.songs import load_song
from skeleton2stage.music.tracks import load_tracks
from skeleton2stage.physics.imitation.imitation_policy import ImitationPolicy
from skeleton2stage.run_settings import RunSettings
from skeleton2stage.run_state import restore_state, write_state

Reader = Callable[[Path], object]


def _motion() -> Motion:
    times = np.arange(60) / 30
    poses = np.zeros((60, 24, 3), np.float32)
    poses[:, 0, 0] = np.pi / 2
    poses[:, 16, 2] = 0.3 * np.sin(3 * times)
    return Motion(poses, np.tile(np.float32([0, 0, 1]), (60, 1)))


def _y_up() -> dict[str, np.ndarray]:
    poses = _motion().poses.reshape(60, 72).copy()
    poses[:, :3] = 0.0
    return {"poses": poses, "position": np.tile(np.float32([0, 1, 0]), (60, 1))}


def _write_pickles(folder: Path) -> None:
    plain = _y_up()
    write_motion(folder / "written.pkl", _motion())
    write_pickle(folder / "aistpp.pkl", {
        "smpl_poses": plain["poses"], "smpl_trans": 90 * plain["position"], "smpl_scaling": np.float32([90.0]),
    })
    write_pickle(folder / "edge_split.pkl", {"q": plain["poses"], "pos": plain["position"], "scale": np.ones(1)})
    down = plain["poses"].copy()
    down[:, 0] = np.pi  # PopDanceSet's y axis points down
    write_pickle(folder / "popdance.pkl", {
        "pred_thetas": down, "transl": plain["position"], "pred_camera": np.ones((60, 1)),
    })
    arrays = dict(np.load(paths.open_body()))
    write_pickle(folder / "smpl.pkl", {name: value for name, value in arrays.items() if value.size < 200_000})


def _write_arrays(folder: Path) -> None:
    joints = _motion().joints().astype(np.float32)
    np.save(folder / "positions.npy", joints)
    np.save(folder / "features.npy", np.zeros((300, 35), np.float32))
    poses = np.zeros((60, 156))
    poses[:, 0] = np.pi / 2
    np.savez(folder / "amass.npz", poses=poses, trans=np.tile([0, 0, 1.0], (60, 1)), mocap_framerate=60.0,
             betas=np.zeros(16), gender="neutral")
    windows = DanceWindows(torch.zeros(160, 151), torch.tensor([0, 5]), torch.zeros(2, dtype=torch.long),
                           torch.zeros(2, 150, 35), ("one",))
    windows.save(folder / "windows.npz")
    shutil.copy(paths.open_body(), folder / "body.npz")
    random = np.random.default_rng(0)
    features = {name: random.random((3, 72 if name.startswith("k") else 32)) for name in FEATURES}
    write_reference(folder / "stats.npz", reference_of(features, "samples"))
    torch.save({"model_state_dict": {"dstran.head.weight": torch.zeros(4)}}, folder / "critic.pth")


def _write_tools(folder: Path) -> None:
    for name, (write, *_) in {**TOOLS, **_OF_JOINTS}.items():
        write(folder / _tool_file(name))


def _tool_file(name: str) -> str:
    file = (TOOLS.get(name) or _OF_JOINTS[name])[1]
    return f"{name}_{file}"


def _write_texts(folder: Path) -> None:
    demo = paths.demo_checkpoints()
    shutil.copy(paths.REPOSITORY / "code" / "rl_finetune" / "reward.yaml", folder / "reward.yaml")
    tracks = json.loads((demo / "tracks_held_out.json").read_text())
    write_json(folder / "tracks.json", tracks | {"tracks": tracks["tracks"][:2]})
    write_json(folder / "metrics.json", {
        "n_motions": 1, "n_frames": 60, "fps": 30, "metrics": {"bas": 0.2, "mot_mag": 1.0},
        "per_motion": {"a": {"bas": 0.2}}, "standard_errors": {"bas": 0.01},
    })
    write_json(folder / "clips.json", {"keep_s": {"a": [0, 2.5]}, "fps": {"a": 60}})
    (folder / "library.json").mkdir()
    write_library(folder / "library.json", {"a.pkl": Clip("a.pkl", "/in/a.pkl", "0" * 16, True, frames=60, seconds=2)})
    shutil.move(folder / "library.json" / "library.json", folder / "library")
    (folder / "library.json").rmdir()
    (folder / "library").rename(folder / "library.json")


def _write_checkpoints(folder: Path, dance_model: Path, policy: Path) -> None:
    for source, name in ((dance_model, "dance"), (policy, "policy")):
        for suffix in (".json", ".safetensors"):
            shutil.copy(source.with_suffix(suffix), folder / f"{name}{suffix}")
    model = load_diffusion(dance_model)
    edge_checkpoint.write(folder / "edge.pt", model.denoiser, model.scaler)
    write_state(folder, {"step": 1, "weights": torch.ones(8)}, RunSettings())


# What tools write of joints alone: rotations are fitted to them.
_OF_JOINTS = {
    "mdm": (write_mdm, "results.npy"),
    "mdm_smpl": (write_mdm_smpl, "sample00_rep00_smpl_params.npy"),
    "humanml3d": (lambda path: np.save(path, features_of(joints_y_up()[:, :22])), "000001.npy"),
    "bailando": (lambda path: np.save(path, {"pred_position": dance().joints().reshape(-1, 72)}), "a.json.npy"),
}


def _write_sounds(folder: Path) -> None:
    audio = 0.1 * np.random.default_rng(0).standard_normal(5 * 8000).astype(np.float32)
    for suffix in ("wav", "flac", "ogg"):
        soundfile.write(folder / f"song.{suffix}", audio, 8000)
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-i", str(folder / "song.wav")]
    subprocess.run([*command, str(folder / "song.m4a")], check=True)


def write_samples(folder: Path, dance_model: Path, policy: Path, bvh: str) -> None:
    """Write a sound file for every reader."""
    _write_pickles(folder)
    _write_arrays(folder)
    _write_tools(folder)
    _write_texts(folder)
    _write_checkpoints(folder, dance_model, policy)
    _write_sounds(folder)
    (folder / "person.bvh").write_text(bvh)


def _checkpoint(load: Reader, other: str) -> Reader:
    """Return the reader of one of a checkpoint's two files: the other one is the sound one beside the samples."""

    def read(path: Path) -> object:
        beside = path.with_suffix(other)
        if not beside.exists():
            kind = "dance" if "dance" in path.name else "policy"
            shutil.copy(path.parent.parent / "samples" / f"{kind}{other}", beside)
        return load(path.with_suffix(".safetensors"))

    return read


def _library(path: Path) -> object:
    folder = path.with_suffix("")
    folder.mkdir(exist_ok=True)
    shutil.copy(path, folder / "library.json")
    return read_library(folder)


def _state(path: Path) -> object:
    folder = path.with_suffix("")
    folder.mkdir(exist_ok=True)
    shutil.copy(path, folder / "state.pt")
    return restore_state(folder, RunSettings(), lambda state: state["step"] + state["weights"].sum())


def _heard(path: Path) -> object:
    return [source.read("baseline") for source in music_sources(path, None)]


READERS: dict[str, tuple[Reader, ...]] = {
    "written.pkl": (read_motion, lambda path: read_constraint(path, (), ())),
    "aistpp.pkl": (read_motion,),
    "edge_split.pkl": (read_motion,),
    "popdance.pkl": (read_motion,),
    "smpl.pkl": (load_body,),
    "positions.npy": (read_positions,),
    "features.npy": (_heard,),
    "amass.npz": (read_motion,),
    "windows.npz": (load_windows,),
    "body.npz": (load_body,),
    "critic.pth": (read_critic,),
    "stats.npz": (lambda path: load_yardstick(str(path)),),
    "person.bvh": (read_motion,),
    "reward.yaml": (read_reward_file,),
    "tracks.json": (load_tracks, _heard),
    "metrics.json": (lambda path: read_result("title", path),),
    "clips.json": (read_clip_notes,),
    "library.json": (_library,),
    "dance.json": (_checkpoint(families.load, ".safetensors"),),
    "dance.safetensors": (_checkpoint(families.load, ".json"),),
    "policy.json": (_checkpoint(ImitationPolicy.load, ".safetensors"),),
    "policy.safetensors": (_checkpoint(ImitationPolicy.load, ".json"),),
    "edge.pt": (families.load,),
    "state.pt": (_state,),
    "song.wav": (load_song,),
    "song.flac": (load_song,),
    "song.ogg": (load_song,),
    "song.m4a": (load_song,),
    **{_tool_file(name): (read_motion_files,) for name in (*TOOLS, *_OF_JOINTS)},
}


def readers_of(name: str) -> tuple[Reader, ...]:
    """Return the readers that may be given a file of a name such as 013_policy.json_traceback.json."""
    known = {"131_02.bvh": "person.bvh", "bailando.npy": "positions.npy", "keep.pkl": "written.pkl",
             "cache.npy": "features.npy", "fake_dtype": "written.pkl"}
    for part, sample in {**known, **{sample: sample for sample in READERS}}.items():
        if part in name:
            return READERS[sample]
    raise KeyError(name)
