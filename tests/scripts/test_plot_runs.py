import json
import subprocess
import sys

from skeleton2stage import paths

SCRIPT = paths.REPOSITORY / "scripts" / "plot_runs.py"


def plot(folder, *arguments) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, SCRIPT, *arguments], cwd=folder, capture_output=True, text=True)


def write_records(path, *costs, **figures) -> str:
    """Write epochs that cost so much each, (seconds, cpu_seconds or None), with figures that rise by one an epoch."""
    records = []
    for i, (seconds, cpu_seconds) in enumerate(costs):
        record = {"epoch": i + 1, "seconds": seconds} | {name: value + i for name, value in figures.items()}
        records.append(record | ({} if cpu_seconds is None else {"cpu_seconds": cpu_seconds}))
    path.write_text(json.dumps(records))
    return f"{path.stem}={path}"


def places(axis: str) -> str:
    """Return code that prints where the line of a figure is drawn."""
    return (f"import json, sys; sys.path.insert(0, {str(SCRIPT.parent)!r}); import plot_runs as p;"
            f"print(p.line(json.load(open(sys.argv[1])), 'reward/x', {axis!r}))")


def drawn(path, axis: str) -> tuple[list[float], list[float]]:
    done = subprocess.run([sys.executable, "-c", places(axis), path], capture_output=True, text=True, check=True)
    return eval(done.stdout)


def test_dances_of_an_epoch_are_drawn_where_it_began(tmp_path):
    write_records(tmp_path / "a.json", (30.0, 10.0), (50.0, 12.0), (20.0, 11.0), **{"reward/x": -3.0, "held/y": 0.9})
    values = [-3.0, -2.0, -1.0]
    assert drawn(tmp_path / "a.json", "seconds") == ([0.0, 30.0, 80.0], values)
    assert drawn(tmp_path / "a.json", "cpu_seconds") == ([0.0, 10.0, 22.0], values)
    assert drawn(tmp_path / "a.json", "epoch") == ([0, 1, 2], values)
    assert drawn(tmp_path / "a.json", "held/y") == ([0.9, 1.9, 2.9], values)


def test_runs_are_drawn_over_the_seconds_of_their_processor(tmp_path):
    runs = [write_records(tmp_path / f"{name}.json", (9.0, 3.0), (9.0, 3.0), **{"reward/x": 1.0}) for name in "ab"]
    done = plot(tmp_path, "out.svg", "against=cpu_seconds", *runs)
    assert done.returncode == 0, done.stderr
    assert "CPU seconds" in (tmp_path / "out.svg").read_text()


def test_a_run_that_was_not_timed_so_is_named(tmp_path):
    timed = write_records(tmp_path / "timed.json", (9.0, 3.0), **{"reward/x": 1.0})
    old = write_records(tmp_path / "old.json", (9.0, None), **{"reward/x": 1.0})
    done = plot(tmp_path, "out.svg", "against=cpu_seconds", timed, old)
    assert done.returncode != 0 and "old.json has epochs without cpu_seconds" in done.stderr
    assert not (tmp_path / "out.svg").exists()
    assert plot(tmp_path, "out.svg", "against=seconds", old).returncode == 0
