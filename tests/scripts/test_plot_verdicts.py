import json
import subprocess
import sys

from skeleton2stage import paths

SCRIPT = paths.REPOSITORY / "scripts" / "plot_verdicts.py"


def run(*arguments):
    return subprocess.run([sys.executable, SCRIPT, *map(str, arguments)], capture_output=True, text=True, check=False)


def verdict(path, scale, success):
    metrics = {"success": success, "imitation": success / 2, "body_error_mm": 100 - 50 * success}
    path.write_text(json.dumps({"wrench_scale": scale, "metrics": metrics}))
    return path


def test_a_curve_of_each_policy_is_drawn(tmp_path):
    files = [verdict(tmp_path / f"{scale}.json", scale, scale) for scale in (1.0, 0.0, 0.5)]
    done = run(tmp_path / "out.svg", "leans=" + ",".join(map(str, files)), f"stands={files[0]}")
    assert done.returncode == 0, done.stderr
    drawn = (tmp_path / "out.svg").read_text()
    words = ("leans", "stands", "share performed to the end", "scale of the residual wrench")
    assert all(word in drawn for word in words)


def test_another_file_is_one_sentence(tmp_path):
    other = tmp_path / "other.json"
    other.write_text("{}")
    done = run(tmp_path / "out.svg", f"a={other}")
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "other.json has no success" in done.stderr
    assert run(tmp_path / "out.svg", "a").returncode == 2
