"""dvc.yaml's stages: their parameters are settings, they depend on all they read, and dvc runs what changed alone."""

import json
import os
import re
import shutil
import subprocess
import sys
from functools import cache

import pytest
import yaml

from printed_commands import printed_commands, settings_classes, unknown_key
from rl_finetune.rewards.reward_file import read_reward_file
from skeleton2stage import paths
from skeleton2stage.config import load_config, to_dataclass
from skeleton2stage.from_params import section
from skeleton2stage.presets import presets
from test_layout import imports

PIPELINES = ("dvc.yaml", "pipelines/from_data/dvc.yaml")
BODY = "skeleton2stage/body/body_model"  # who reads the free body
PARAMS = yaml.safe_load((paths.REPOSITORY / "params.yaml").read_text())
# What differs between a pipeline and quickstart.sh by design: where things lie and what runs are called.
PLACES = {"music", "out", "motions", "name", "motion_save_root", "ckpt_root", "compare", "labels"}
POSITIONAL = {
    "run.sh": ("name", None, "epochs", "batch_size"),
    "eval.sh": ("name", "epoch", "motion_save_root", "ckpt_root", "music"),
}


def filled(text, known):
    """Return text with ${a.b} filled in from nested tables, as dvc does."""

    def value(found):
        content = known
        for part in found[1].split("."):
            content = content[part]
        return str(content)

    return re.sub(r"\$\{([\w.]+)\}", value, text)


def opened(pipeline):
    """Return a pipeline's stages, and what its ${...} stand for."""
    content = yaml.safe_load((paths.REPOSITORY / pipeline).read_text())
    known = dict(PARAMS)
    for entry in content["vars"]:
        known |= entry if isinstance(entry, dict) else {}
    return content["stages"], known


def stages(pipeline):
    """Return each stage's commands, dependencies and sections, filled in."""
    content, known = opened(pipeline)
    found = {}
    for name, stage in content.items():
        commands = stage["cmd"] if isinstance(stage["cmd"], list) else [stage["cmd"]]
        found[name] = (
            [filled(command, known) for command in commands],
            [filled(dependency, known) for dependency in stage["deps"]], stage.get("params", []),
        )
    return found


STAGES = [
    pytest.param(*stage, id=f"{'demo' if pipeline == 'dvc.yaml' else 'from_data'}-{name}")
    for pipeline in PIPELINES for name, stage in stages(pipeline).items()
]


def parsed(command, tmp_path):
    """Return a stage's command as printed, without what hands it the parameters, and the sections that it gets."""
    rest = re.sub(r"^env( \w+=\S+)+ ", "", command)
    handed = re.match(r"python -m skeleton2stage.from_params (\S+) (.*)", rest)
    page = tmp_path / "page.md"
    page.write_text(f"```\n{handed[2] if handed else rest}\n```\n")
    (printed,) = printed_commands(page)
    return printed, handed[1].split(",") if handed else []


def module_of(printed):
    """Return the module that a command runs, also by way of a script."""
    if not printed.target.endswith(".sh"):
        return printed.target
    source = (paths.REPOSITORY / printed.target).read_text()
    return re.findall(r"(?:launch \S+|exec python -m) ([\w.]+)(?! --help)", source)[-1]


@cache
def import_graph():
    return imports()


def needed_files(module):
    """Return the files that running a module may read as code: what it imports, and so on."""
    graph = import_graph()
    start = module if module in graph else f"{module}.__main__"
    start = start if start in graph else module
    seen, left = set(), [start]
    while left:
        name = left.pop()
        if name not in seen:
            seen.add(name)
            left += graph.get(name, ())
    return [f"code/{name.replace('.', '/')}" for name in seen]


@pytest.mark.parametrize(("commands", "dependencies", "params"), STAGES)
def test_parameters_are_settings_of_the_command_and_tracked(commands, dependencies, params, tmp_path):
    for command in commands:
        printed, sections = parsed(command, tmp_path)
        configuration, classes = settings_classes(printed.target, printed.words)
        given = [argument.split("=")[0] for name in sections for argument in section(PARAMS, name)]
        assert [unknown_key(key, configuration, classes) for key in (*given, *printed.keys)] == [None] * len(
            [*given, *printed.keys]
        )
        assert set(sections) <= set(params)
        assert not set(given) & set(printed.keys), "the section's value would win over the stage's own"


@pytest.mark.parametrize(("commands", "dependencies", "params"), STAGES)
def test_a_stage_depends_on_the_code_and_configuration_that_it_reads(commands, dependencies, params, tmp_path):
    for command in commands:
        printed, _ = parsed(command, tmp_path)
        missing = [
            name for name in needed_files(module_of(printed))
            if not any(f"{name}.py" == one or f"{name}/".startswith(f"{one}/") for one in dependencies)
        ]
        assert missing == []
        configuration, classes = settings_classes(printed.target, printed.words)
        assert "body_models/open" in dependencies or f"code/{BODY}" not in needed_files(module_of(printed))
        assert not presets(configuration) or f"configs/{configuration}" in dependencies
        ours = [one for one in dependencies if one.split("/")[0] in ("code", "configs")]
        assert [one for one in ours if not (paths.REPOSITORY / one).exists()] == []
        for word in printed.words:
            path = word.split("=")[-1]
            inside = [one for one in dependencies if path == one or path.startswith(f"{one}/")]
            assert inside or not path.startswith(("checkpoints/", "data/")), f"{path} is no dependency"


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_what_a_stage_depends_on_ships_or_is_made_by_another(pipeline):
    content, known = opened(pipeline)
    made = [filled(out, known) for stage in content.values() for out in stage["outs"]]
    asked = {dependency for _, dependencies, _ in stages(pipeline).values() for dependency in dependencies}
    from_elsewhere = {one for one in asked if one not in made and not one.startswith("data/")}
    assert [one for one in sorted(from_elsewhere) if not (paths.REPOSITORY / one).exists()] == []


@pytest.mark.parametrize(("commands", "dependencies", "params"), STAGES)
def test_sections_that_name_files_are_dependencies(commands, dependencies, params, tmp_path):
    for command in commands:
        _, sections = parsed(command, tmp_path)
        values = [argument.partition("=")[2] for name in sections for argument in section(PARAMS, name)]
        files = [value for value in values if (paths.REPOSITORY / value).is_file()]
        assert [file for file in files if file not in dependencies] == []


def composed(printed, sections, monkeypatch):
    """Return what a command's settings come to, without places, paths absolute."""
    monkeypatch.chdir(paths.REPOSITORY)
    configuration, classes = settings_classes(printed.target, printed.words)
    names = POSITIONAL.get(printed.target.split("/")[-1], ())
    given = [f"{name}={word}" for name, word in zip(names, printed.words, strict=False) if name]
    given += [*printed.words[len(names):], *(typed for name in sections for typed in section(PARAMS, name))]
    (config,) = [to_dataclass(load_config(configuration, given), cls) for cls in classes]
    values = {key: value for key, value in vars(config).items() if key not in PLACES}
    demo = str(paths.demo_checkpoints() / "imitation_policy.safetensors")
    plain = {key: str(value.absolute()) if hasattr(value, "absolute") else value for key, value in values.items()}
    plain["policy"] = demo if plain.get("policy") in ("demo", demo.removeprefix(f"{paths.REPOSITORY}/")) else None
    plain["reward_weights"] = None  # held to the file's by a test of its own
    return plain


@pytest.mark.parametrize(("word", "stage"), [
    ("rl_finetune.sample", "base"), ("rl_finetune.evaluate", "measure_base"), ("run.sh", "fine_tune"),
    ("eval.sh", "tuned"),
])
def test_the_demo_is_the_quickstart(word, stage, tmp_path, monkeypatch):
    script = (paths.REPOSITORY / "scripts" / "quickstart.sh").read_text().replace("\\\n", "").replace('"', "")
    for name, value in {"$root/": "", "$demo": "checkpoints/demo", "$epochs": "3", "$out": "runs/quickstart"}.items():
        script = script.replace(name, value)
    line = next(line for line in script.splitlines() if re.match(rf"(python -m|bash) \S*{word}", line))
    assert "EPOCHS=3" in (paths.REPOSITORY / "scripts" / "quickstart.sh").read_text()
    ours, sections = parsed(stages("dvc.yaml")[stage][0][0], tmp_path)
    theirs, _ = parsed(line, tmp_path)
    assert composed(ours, sections, monkeypatch) == composed(theirs, [], monkeypatch)


def test_the_weights_are_those_of_the_reward_file():
    file = read_reward_file(paths.REPOSITORY / PARAMS["fine_tune"]["rewards"])
    weights = {setting.name: setting.weight for setting in file.settings if setting.enabled}
    assert PARAMS["fine_tune"]["reward_weights"] == weights


@pytest.fixture
def dvc():
    """Return dvc's program, or skip."""
    found = shutil.which("dvc", path=f"{os.path.dirname(sys.executable)}:{os.environ.get('PATH', '')}")
    return found or pytest.skip("dvc is not installed: pip install 'dvc>=3.50,<4'")


TRACKS = "two_tracks.json"
TINY = {
    "music": {"source": TRACKS},
    "dance": {"n_steps": 2},
    "measure": {"pen_rate": False},
    "fine_tune": {
        "epochs": 1, "batch_size": 1, "samples_per_prompt": 2, "n_steps": 4, "trained_steps": 2, "direct_epochs": 0,
        "learning_rate": 1e-3,  # or the one step may round to the same dances, and the table is rightly kept
        "trackers": [], "music": TRACKS, "hold": {},  # what is held is first measured, on dances to every prompt
    },
}


def two_tracks():
    """Return the tracks that the tiny run trains and is measured on: minutes of music would take minutes to hear."""
    content = json.loads((paths.REPOSITORY / PARAMS["music"]["source"]).read_text())
    kept = [track for track in content["tracks"] if track["name"] in ("steady_100bpm", "steady_128bpm")]
    return content | {"tracks": [track | {"duration_s": 6.0} for track in kept]}


@pytest.fixture
def checkout(tmp_path):
    """Return a copy of the repository under git, with parameters for a run of seconds a stage, and a call of dvc."""
    copy = tmp_path / "checkout"
    for name in ("code", "configs", "checkpoints", "scripts", "pipelines", "body_models/open", ".dvc"):
        shutil.copytree(
            paths.REPOSITORY / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "tmp", "cache")
        )
    for name in ("dvc.yaml", ".dvcignore", ".gitignore", "environment.sh"):
        shutil.copy(paths.REPOSITORY / name, copy / name)
    tiny = {name: (value | TINY.get(name, {}) if isinstance(value, dict) else value) for name, value in PARAMS.items()}
    (copy / "params.yaml").write_text(yaml.safe_dump(tiny))
    (copy / TRACKS).write_text(json.dumps(two_tracks()))
    (copy / ".venv").symlink_to(sys.prefix)
    environment = os.environ | {
        "PYTHONPATH": str(copy / "code"), "PATH": f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}",
        "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b",
    }
    environment.pop("S2S_RUNS", None)

    def call(*command):
        done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return done.stdout

    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "all"]):
        call("git", *command)
    return copy, call


def ran(output):
    return re.findall(r"Running stage '(\w+)'", output)


def test_dvc_makes_the_table_and_reruns_what_a_weight_changes_alone(dvc, checkout):
    copy, call = checkout
    assert sorted(ran(call(dvc, "repro", "table"))) == ["base", "fine_tune", "measure_base", "music", "table", "tuned"]
    table, dances = copy / "runs" / "demo" / "table", copy / "runs" / "demo" / "dances" / "tuned-1"
    assert "| imitation ↑" in (table / "comparison.md").read_text()
    first = yaml.safe_load((table / "metrics.yaml").read_text())
    assert set(first) == {"base", "fine-tuned"} and first["base"] != first["fine-tuned"]
    assert "fine-tuned.imitation" in call(dvc, "metrics", "show", "--md")
    assert ran(call(dvc, "repro", "table")) == []
    before = json.loads((dances / "metrics.json").read_text())["metrics"]
    output = call(dvc, "exp", "run", "--set-param", "fine_tune.reward_weights.imitation=0.1", "tuned")
    assert ran(output) == ["fine_tune", "tuned"]
    assert json.loads((dances / "metrics.json").read_text())["metrics"] != before
    assert ran(call(dvc, "repro", "--dry", "table")) == ["table"]
    call(dvc, "push", "table")
    shutil.rmtree(copy / ".dvc" / "cache")
    shutil.rmtree(table)
    call(dvc, "pull", "table")
    assert yaml.safe_load((table / "metrics.yaml").read_text()) == first


def test_data_is_added_beside_git(dvc, checkout):
    copy, call = checkout
    (copy / "data" / "aist").mkdir(parents=True)
    (copy / "data" / "aist" / "a.pkl").write_text("a dance")
    call(dvc, "add", "data/aist")
    assert call("git", "status", "--short", "data").split() == ["??", "data/"]
    assert "data/aist.dvc" in call("git", "ls-files", "--others", "--exclude-standard", "data")
