"""Training the base dance model: it learns, resumes exactly, exports what it trained, and refuses bad input."""

import json
import os
import subprocess
from dataclasses import replace

import pytest
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState

from dance_model import diffusion_loading
from dance_model.diffusion.captured import CapturedCall
from dance_model.diffusion.ddim import generator_for, sample
from dance_model.diffusion.diffusion_model import DanceModel
from dance_model.edge import edge_checkpoint
from dance_model.edge.edge_denoiser import DanceDecoder
from dance_model.training import train_edge
from dance_model.training.edge_trainer import EdgeTrainer, learning_rate_factor
from dance_model.training.train_edge_config import TrainEdgeConfig
from dance_model.training.train_edge_start import load_start, share_within
from dance_model.training.windows import DanceWindows
from logged_curves import points
from skeleton2stage import paths
from skeleton2stage.config import load_config, to_dataclass
from skeleton2stage.curves import open_curves
from skeleton2stage.errors import UserError
from skeleton2stage.motion import motion_layout as layouts
from skeleton2stage.motion.scaler import MinMaxScaler

SMALL = [
    "steps=6", "batch_size=4", "log_every=1", "save_every=3", "preview_dances=1", "trackers=[]", "device=cpu",
    "denoiser.latent_width=16", "denoiser.feedforward_width=16", "denoiser.n_layers=1", "denoiser.n_heads=2",
    "held_out=[second]", "half_storage=false",
]


def configured(*overrides):
    return to_dataclass(load_config("train_edge", [*SMALL, *overrides]), TrainEdgeConfig)


@pytest.fixture(scope="module")
def windows():
    """Eight windows of figures that sway, and music that tells how."""
    torch.manual_seed(0)
    sway = torch.sin(torch.linspace(0, 60, 400))[:, None]
    axis_angle = 0.3 * sway[..., None] * torch.rand(24, 3)
    frames = layouts.encode(axis_angle, torch.tensor([0.0, 0.0, 1.0]) + 0.1 * sway, layouts.EDGE)
    starts, clips = torch.arange(8) * 30, torch.tensor([0] * 6 + [1] * 2)
    music = 20 * torch.randn(8, 150, 35) - 50
    return DanceWindows(frames, starts, clips, music, ("first", "second"))


def trainer(config, windows, run):
    return EdgeTrainer(config, windows, run, Accelerator(cpu=True), load_start(config, "cpu"))


@pytest.mark.parametrize(
    ("preset", "width", "foot"),
    [("demo", 160, 10.942), ("h100", 192, 10.942), ("h100_feet", 192, 1000.0), ("h100_songs", 192, 1000.0),
     ("paper", 512, 10.942)],
)
def test_presets_fill_the_configuration(preset, width, foot):
    config = to_dataclass(load_config("train_edge", [f"preset={preset}"]), TrainEdgeConfig)
    assert config.held_out == ("60_12", "61_12", "60_05", "61_05", "131_02")
    assert config.denoiser.latent_width == width
    assert config.losses.foot == foot


def test_training_lowers_the_loss(windows, tmp_path):
    config = configured("steps=40", "save_every=100", "learning_rate=3e-3", "batch_size=16")
    run = trainer(config, windows, tmp_path)
    first = [run.train_step().reconstruction.item() for _ in range(5)]
    while run.step < 40:
        last = run.train_step().reconstruction.item()
    assert last < 0.7 * sum(first) / 5


def test_a_killed_run_goes_on_as_if_unbroken(windows, tmp_path):
    whole = trainer(configured(), windows, tmp_path / "whole")
    whole.train()
    parted = trainer(configured(), windows, tmp_path / "parted")
    for _ in range(3):
        parted.train_step()
    parted.save()
    parted.train_step()  # lost with the process
    resumed = trainer(configured(), windows, tmp_path / "parted")
    assert resumed.step == 3
    resumed.train()
    for name, value in whole.denoiser.state_dict().items():
        assert torch.equal(resumed.denoiser.state_dict()[name], value), name
    both = [tmp_path / name / "weights" / "train-6.safetensors" for name in ("whole", "parted")]
    assert both[0].read_bytes() == both[1].read_bytes()


def test_saved_model_is_the_average_for_raw_music(windows, tmp_path):
    run = trainer(configured("ema_decay=0.5"), windows, tmp_path)
    run.train()
    model = diffusion_loading.load(tmp_path / "weights" / "train-6")
    x, times, music = torch.randn(2, 150, 151), torch.tensor([10, 900]), windows.music[:2]
    with torch.no_grad(), run.ema.applied_to(run.denoiser) as averaged:
        averaged.eval()
        expected = averaged(x, run.music_scaler(music), times)
        torch.testing.assert_close(model.denoiser(x, music, times), expected, atol=1e-4, rtol=1e-4)
    (motion,) = model.motions(sample(model.denoiser, music[:1], generator_for(model.denoiser, 0)).x0)
    assert len(motion) == 150


def test_held_out_and_preview_figures_are_logged(windows, tmp_path):
    with open_curves(tmp_path, ["tensorboard"], torch.device("cpu")) as curves:
        trainer(configured("save_every=6"), windows, tmp_path).train(curves)
    logged = {name: value for name, ((_, value), *_) in points(tmp_path).items()}
    assert logged["held_out/loss"] > 0
    assert logged["preview_data/lowest_joint"] < 1.0
    assert logged["preview/mot_mag"] > 0


def test_time_limit_stops_and_saves(windows, tmp_path):
    run = trainer(configured("max_minutes=0.0001", "steps=1000", "save_every=1000"), windows, tmp_path)
    run.train()
    assert 0 < run.step < 1000
    assert (tmp_path / "weights" / f"train-{run.step}.safetensors").exists()


def test_a_state_of_another_model_or_damaged_is_refused(windows, tmp_path):
    trainer(configured("steps=1", "save_every=1"), windows, tmp_path).train()
    with pytest.raises(UserError, match="denoiser.n_layers=1, not 2; .*another name for another run"):
        trainer(configured("steps=1", "denoiser.n_layers=2"), windows, tmp_path)
    shifted = replace(windows, frames=windows.frames + 1.0)
    with pytest.raises(UserError, match="its motions were scaled by other data"):
        trainer(configured(), shifted, tmp_path)
    state = torch.load(tmp_path / "state.pt")
    del state["optimiser"]["param_groups"][0]["weight_decouple"]  # as Adan of our own had it
    torch.save(state, tmp_path / "state.pt")
    with pytest.raises(UserError, match="its optimiser is of an earlier version of this program; start_from"):
        trainer(configured("steps=1", "save_every=1"), windows, tmp_path)
    (tmp_path / "state.pt").write_bytes(b"torn")
    with pytest.raises(UserError, match="damaged"):
        trainer(configured(), windows, tmp_path)


def test_windows_that_do_not_fit_are_refused(windows, tmp_path):
    with pytest.raises(UserError, match="the denoiser takes"):
        trainer(configured("denoiser.music_width=7"), windows, tmp_path)
    with pytest.raises(UserError, match="no training windows"):
        trainer(configured("held_out=[first,second]"), windows, tmp_path)
    wrong = replace(windows, music=windows.music[:, :100])
    with pytest.raises(UserError, match="100"):
        trainer(configured(), wrong, tmp_path)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("steps=0", "steps must be at least 1"),
        ("learning_rate=0", "learning_rate must be above 0"),
        ("cond_drop_prob=1", "cond_drop_prob"),
        ("precision=fp8", "choose one of bf16, float32, tf32"),
        ("device=tpu", "choose one of auto, cpu, cuda"),
        ("losses.fk_space=world", "choose one of metric, normalised"),
        ("latent=3", "unknown key"),
    ],
)
def test_bad_configuration_is_one_sentence(override, message):
    with pytest.raises(UserError, match=message):
        configured(override)


def test_entry_point_trains_from_a_prepared_file(windows, tmp_path, capsys):
    windows.save(tmp_path / "w.npz")
    train_edge.main([
        *SMALL, f"data={tmp_path / 'w.npz'}", f"out={tmp_path / 'run'}", "steps=2", "trackers=[tensorboard]"
    ])
    assert "6 windows, 2 held out; 2 steps of 4 x 1 process = 4 windows" in capsys.readouterr().out
    assert json.loads((tmp_path / "run" / "weights" / "train-2.json").read_text())["kind"] == "dance_model"
    assert list((tmp_path / "run" / "curves").glob("events*"))
    assert "latent_width: 16" in (tmp_path / "run" / "config.yaml").read_text()


def test_two_processes_train_one_model(windows, tmp_path):
    """Through the script as users start it, from a folder of theirs."""
    windows.save(tmp_path / "it's #1.npz")
    script = paths.REPOSITORY / "code" / "rl_finetune" / "train_edge.sh"
    environment = os.environ | {"NUM_PROCESSES": "2", "OMP_NUM_THREADS": "1", "S2S_RUNS": str(tmp_path / "runs")}
    command = ["bash", script, "it's #1.npz", *SMALL, "name=2024_11_26", "steps=1", "preview_dances=0", "batch_size=2"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    assert "1 steps of 2 x 2 processes = 4 windows" in done.stdout
    assert (tmp_path / "runs" / "train_edge" / "2024_11_26" / "weights" / "train-1.safetensors").is_file()


def test_entry_point_names_missing_data(tmp_path):
    with pytest.raises(UserError, match="prepare it first"):
        train_edge.main([*SMALL, f"data={tmp_path / 'nothing'}"])
    with pytest.raises(UserError, match="music=jukebox needs denoiser.music_width=4800"):
        train_edge.main([*SMALL, f"data={tmp_path}", "music=jukebox"])
    with pytest.raises(UserError, match="give augment.shuffle_timbre=false"):
        train_edge.main([*SMALL, f"data={tmp_path}", "music=jukebox", "denoiser.music_width=4800"])
    with pytest.raises(UserError, match="choose one of baseline, jukebox, song_beats"):
        train_edge.main([*SMALL, f"data={tmp_path}", "music=mfcc"])


@pytest.fixture(params=[".safetensors", ".pt"])
def begun_with(request, tmp_path):
    """Return a file of a dance model of the run's sizes, ours and EDGE's, with a scaler of its own.

    EDGE's has no frame_music, which the run adds to it.
    """
    torch.manual_seed(5)
    config = replace(configured().denoiser, dropout=0.1, frame_music=request.param != ".pt")
    scaler = MinMaxScaler(torch.rand(151) + 0.5, torch.rand(151) - 0.5)
    model = DanceModel(DanceDecoder(config).eval(), layouts.EDGE, scaler)
    path = (tmp_path / "start").with_suffix(request.param)
    if request.param == ".pt":
        edge_checkpoint.write(path, model.denoiser, scaler)
    else:
        model.save(path, half=False)
    return path


@pytest.mark.parametrize("standardise", ["true", "false"])
def test_a_run_begins_with_the_model_it_is_given(windows, tmp_path, begun_with, standardise):
    given = diffusion_loading.load(begun_with)
    run = trainer(configured(f"start_from={begun_with}", f"standardise_music={standardise}"), windows, tmp_path / "run")
    assert torch.equal(run.scaler.scale, given.scaler.scale) and torch.equal(run.scaler.minimum, given.scaler.minimum)
    exported = run.exported().denoiser
    for name, value in given.denoiser.state_dict().items():
        torch.testing.assert_close(exported.state_dict()[name], value, atol=2e-5, rtol=1e-5, msg=name)
    assert ("whose range holds" in train_edge.describe(run)) and (run.step == 0)
    music, x, times = windows.music[:1], torch.randn(1, 150, 151), torch.tensor([500])
    with torch.no_grad():
        ours = run.denoiser.eval()(x, run.music_scaler(music), times)
        torch.testing.assert_close(ours, given.denoiser(x, music, times), atol=1e-3, rtol=1e-3)


def test_the_average_of_a_begun_run_keeps_the_weights_it_began_with(windows, tmp_path, begun_with):
    run = trainer(configured(f"start_from={begun_with}", "ema_decay=0.9999"), windows, tmp_path / "run")
    run.train_step()
    models = diffusion_loading.load(begun_with), run.exported()
    given, averaged = (model.denoiser.final_layer.weight for model in models)
    moved = (run.denoiser.final_layer.weight - given).abs().max().item()
    assert (averaged - given).abs().max().item() < 0.01 * moved


def test_a_begun_run_that_goes_on_keeps_its_own_weights(windows, tmp_path, begun_with):
    config = configured(f"start_from={begun_with}", "steps=2", "save_every=2", "preview_dances=0")
    first = trainer(config, windows, tmp_path / "run")
    first.train()
    resumed = trainer(config, windows, tmp_path / "run")
    assert resumed.step == 2
    assert torch.equal(resumed.denoiser.final_layer.weight, first.denoiser.final_layer.weight)


def test_another_model_is_refused_before_windows_are_prepared(begun_with, tmp_path):
    with pytest.raises(UserError, match="give denoiser.n_layers=1$"):
        train_edge.main([*SMALL, f"start_from={begun_with}", "denoiser.n_layers=2", f"data={tmp_path / 'nothing'}"])


@pytest.mark.parametrize(
    ("overrides", "advice"),
    [
        (["denoiser.n_layers=2"], "give denoiser.n_layers=1$"),
        (["denoiser.data_std=0.3", "denoiser.feedforward_width=32"],
         "give denoiser.feedforward_width=16 denoiser.data_std=0.0$"),
        (["layout=popdg"], "give layout=edge$"),
        (["music=jukebox"], "give music=baseline$"),
    ],
)
def test_a_model_other_than_configured_is_refused(begun_with, overrides, advice):
    with pytest.raises(UserError, match=rf"start_from=.* is another model than configured: {advice}"):
        load_start(configured(f"start_from={begun_with}", *overrides), "cpu")


def test_a_model_begun_with_may_hear_beats_otherwise(windows, begun_with, tmp_path):
    run = trainer(configured(f"start_from={begun_with}", "music=song_beats"), windows, tmp_path)
    assert run.exported().music == "song_beats"
    with pytest.raises(UserError, match="give music=baseline$"):
        load_start(configured(f"start_from={begun_with}", "music=jukebox"), "cpu")


def test_the_legs_of_preset_h100_are_of_one_model():
    legs = [configured(f"preset={name}") for name in ("h100", "h100_feet", "h100_songs")]
    assert len({leg.denoiser for leg in legs}) == 1
    assert [leg.music for leg in legs] == ["song_beats"] * 3
    assert [leg.augment.shuffle_onsets for leg in legs] == [0.0, 0.0, 0.5]


def test_share_within_counts_heights_and_rotations():
    frames = torch.zeros(10, 151)
    frames[:5, 6] = 2.0  # heights
    frames[:, 4:6] = 9.0  # where on the floor does not count
    scaler = MinMaxScaler(torch.ones(151), torch.zeros(151))
    assert share_within(scaler, frames, layouts.EDGE) == pytest.approx(1 - 5 / (10 * 145))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_replayed_steps_equal_plain_ones(windows, tmp_path, precision):
    AcceleratorState._reset_state()  # one process has one precision otherwise
    plain, captured = (
        EdgeTrainer(configured(f"cuda_graph={graph}", "device=auto", f"precision={precision}"), windows,
                    tmp_path / graph, Accelerator(mixed_precision="bf16" if precision == "bf16" else "no"))
        for graph in ("false", "true")
    )
    assert isinstance(captured.gradients, CapturedCall)
    for _ in range(5):
        ours, theirs = captured.train_step(), plain.train_step()
        assert ours.reconstruction.item() == pytest.approx(theirs.reconstruction.item(), rel=1e-3)
    for name, value in plain.denoiser.state_dict().items():
        torch.testing.assert_close(captured.denoiser.state_dict()[name], value, atol=2e-3, rtol=1e-2, msg=name)


def test_the_learning_rate_cools_down_over_the_last_share_of_the_steps():
    factors = [learning_rate_factor(step, 100, 0.2) for step in (0, 80, 90, 100)]
    assert factors == pytest.approx([1.0, 1.0, 0.5, 0.0])
    assert learning_rate_factor(100, 100, 0.0) == 1.0


def test_the_learning_rate_comes_up_over_the_first_steps():
    factors = [learning_rate_factor(step, 100, 0.5, warm_up=4) for step in (0, 3, 4, 50, 75)]
    assert factors == pytest.approx([0.2, 0.8, 1.0, 1.0, 0.5])


def test_gradients_are_clipped(windows, tmp_path):
    def norm(limit):
        trainer = EdgeTrainer(configured(f"max_grad_norm={limit}"), windows, tmp_path / limit, Accelerator(cpu=True))
        trainer.gradients()
        return torch.stack([p.grad.norm() for p in trainer.denoiser.parameters() if p.grad is not None]).norm()

    assert norm("0") > 0.02
    assert norm("0.01") == pytest.approx(0.01, rel=1e-3)
