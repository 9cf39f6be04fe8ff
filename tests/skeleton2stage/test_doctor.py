import subprocess
import sys

import pytest
import torch

from skeleton2stage import doctor, paths
from skeleton2stage.checkpoint import save_checkpoint
from skeleton2stage.doctor import Finding
from skeleton2stage.errors import UserError


@pytest.fixture
def demo(tmp_path, monkeypatch):
    """A demo folder that holds everything."""
    monkeypatch.setattr(paths, "demo_checkpoints", lambda: tmp_path)
    for name in ("dance_model", "dance_model_tuned", "imitation_policy"):
        save_checkpoint(tmp_path / name, {"weight": torch.zeros(500, 1000)}, {})
    (tmp_path / "tracks.json").write_text("[]")
    return tmp_path


def by_name(findings):
    return {finding.name: finding for finding in findings}


def test_python_is_the_running_one():
    (finding,) = doctor.check_python()
    assert finding.ok and finding.found == sys.version.split()[0]


def test_an_old_python_blocks(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 8, 10, "final", 0))
    (finding,) = doctor.check_python()
    assert finding.blocks and finding.found == "3.8.10" and "3.11" in finding.remedy


def test_libraries_say_which_is_missing_and_which_is_too_old(tmp_path, monkeypatch):
    (tmp_path / "requirements.txt").write_text("# a comment\nnumpy>=1\nno-such-library>=2\n\ntorch<1\n")
    monkeypatch.setattr(paths, "REPOSITORY", tmp_path)
    (finding,) = doctor.check_libraries()
    assert finding.blocks
    assert finding.found == f"no no-such-library, torch {torch.__version__} (<1 is wanted)"


def test_libraries_that_fit(tmp_path, monkeypatch):
    (tmp_path / "requirements.txt").write_text("numpy>=1\ntorch>=1\n")
    monkeypatch.setattr(paths, "REPOSITORY", tmp_path)
    (finding,) = doctor.check_libraries()
    assert finding.ok and finding.found == "all 2 of requirements.txt"


def test_processors():
    found = by_name(doctor.check_processors())
    assert found["torch"].found == torch.__version__
    assert found["GPU"].ok == torch.cuda.is_available() and not found["GPU"].required
    assert int(found["CPU"].found.split()[0]) >= 1


def test_simulators_are_built(monkeypatch):
    monkeypatch.setenv("ISAACGYM_PYTHON", "")
    found = by_name(doctor.check_simulators())
    assert found["simulator mujoco"].ok and found["simulator mujoco"].required
    assert not found["simulator isaacgym"].ok and not found["simulator isaacgym"].blocks
    assert "needs ISAACGYM_PYTHON" in found["simulator isaacgym"].remedy


def test_the_gpu_simulator_says_what_it_lacks():
    finding = by_name(doctor.check_simulators())["simulator mujoco_warp"]
    assert finding.ok == torch.cuda.is_available() and not finding.blocks
    assert finding.ok or "finds no NVIDIA GPU" in finding.remedy


def test_open_body_ships():
    (finding,) = doctor.check_open_body()
    assert finding.ok and finding.found == "6890 vertices, 13776 faces"


def test_smpl_says_where_it_looked(tmp_path, monkeypatch):
    monkeypatch.setenv("SMPL_MODELS", str(tmp_path))
    (finding,) = doctor.examine("SMPL body", doctor.check_smpl_body, required=False)
    assert not finding.ok and not finding.blocks
    assert str(tmp_path) in finding.remedy


def test_demo_complete(demo):
    found = by_name(doctor.check_demo())
    assert found["demo dance_model.safetensors"].found == "0.5 M numbers"
    assert all(finding.ok for finding in found.values())


def test_demo_missing_and_damaged(demo):
    (demo / "tracks.json").unlink()
    (demo / "imitation_policy.safetensors").write_bytes(b"cut short")
    found = by_name(doctor.check_demo())
    assert found["demo tracks.json"].blocks and "git checkout" in found["demo tracks.json"].remedy
    assert found["demo imitation_policy.safetensors"].blocks
    assert "is damaged" in found["demo imitation_policy.safetensors"].found
    assert found["demo dance_model.safetensors"].ok


def test_data_counts_what_is_there(tmp_path, monkeypatch):
    monkeypatch.setenv("S2S_SHARED_DATA", str(tmp_path / "shared"))
    monkeypatch.setenv("S2S_DATA", str(tmp_path / "prepared"))
    assert not any(finding.ok or finding.blocks for finding in doctor.check_data())
    for name in ("shared/music/a.ogg", "shared/music/readme.txt", "shared/mocap.tar.xz", "prepared/dances/x"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    downloaded, prepared = doctor.check_data()
    assert downloaded.ok and downloaded.found.endswith("1 mocap archive(s), 1 songs")
    assert prepared.ok and prepared.found.endswith(": dances")


def test_ffmpeg_audio_and_trackers_are_tried(monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    assert doctor.check_ffmpeg()[0].ok
    assert doctor.check_audio()[0].found.startswith("libsndfile")
    assert by_name(doctor.check_trackers())["tracker wandb"].found.endswith("WANDB_MODE=offline")


def test_a_check_that_breaks_is_a_finding():
    def broken():
        raise ImportError("No module named 'mujoco'")

    (finding,) = doctor.examine("simulators", broken, required=True)
    assert finding.blocks and finding.found == "ImportError: No module named 'mujoco'"
    assert finding.remedy == doctor.SETUP


@pytest.mark.parametrize(("required", "status", "verdict"), [
    (True, 1, "cannot run yet: thing."), (False, 0, "The main job can run."),
])
def test_exit_status_follows_the_main_job(monkeypatch, capsys, required, status, verdict):
    monkeypatch.setenv("COLUMNS", "120")
    thing = Finding("thing", False, "[red]not[/red] here", "get it", required)
    monkeypatch.setattr(doctor, "CHECKS", (("thing", lambda: [thing], required),))
    assert doctor.main([]) == status
    said = capsys.readouterr().out
    assert verdict in said and "[red]not[/red] here" in said and "get it" in said


def test_a_found_thing_needs_no_remedy(capsys):
    doctor.print_report([Finding("thing", True, "here", "get it", required=True)])
    assert "get it" not in capsys.readouterr().out


def test_help_and_unknown_arguments(capsys):
    assert doctor.main(["--help"]) == 0
    assert "usage" in capsys.readouterr().out
    with pytest.raises(UserError, match="unknown argument 'gpu=1'"):
        doctor.main(["gpu=1"])


def test_the_program_reports_from_anywhere(tmp_path):
    command = [sys.executable, "-m", "skeleton2stage.doctor"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert result.returncode in (0, 1) and result.stderr == ""
    assert ("The main job can run." in result.stdout) == (result.returncode == 0)
