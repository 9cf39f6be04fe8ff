"""Documents hold to what there is: their links lead somewhere, their commands are there and know their keys."""

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

from printed_commands import FENCE, file_of, printed_commands, settings_classes, unknown_key
from skeleton2stage import paths
from skeleton2stage.metrics.metrics_table import METRICS
from skeleton2stage.physics.axes.read_axes import AXES

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
ELSEWHERE = ("http://", "https://", "mailto:")
# Keys by which a command's own program hands on what it does not read itself.
NOT_SETTINGS = {"key", "KEY", "family"}
FORMULAS = paths.REPOSITORY / "docs" / "formulas.md"
FOLDERS_OF_FORMULAS = ("skeleton2stage/metrics", "rl_finetune/rewards", "skeleton2stage/physics/axes")
# Modules there that compute nothing of their own: registries, readers of files, tables, drawings, words.
WITHOUT_FORMULAS = {
    "bars", "comparison", "heat_strip", "measured_clip", "metrics_table", "published_features", "reference_statistics",
    "set_figures", "own", "reward", "reward_file", "fault_words", "faults", "part_names", "read_axes",
    "side_by_side",
}


def documents() -> list[Path]:
    """Return every Markdown file of the repository, but for what is ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=paths.REPOSITORY, capture_output=True, text=True, check=False,
    ).stdout.split("\n")
    found = [paths.REPOSITORY / name for name in listed if name]
    return [path for path in found if path.is_file()] or sorted((paths.REPOSITORY / "docs").rglob("*.md"))


DOCUMENTS = documents()
# A log's commands are those of its day; one page has the original's beside ours, which a test of its own tells apart.
LIVING = [path for path in DOCUMENTS if "log" not in path.parts and path.stem != "coming_from_skeleton2stage"]


def title(path):
    return str(path.relative_to(paths.REPOSITORY))


@cache
def anchors(path: Path) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them."""
    found: dict[str, int] = {}
    slugs = set()
    for heading in re.findall(r"^#+ +(.+?) *$", FENCE.sub("", path.read_text(encoding="utf-8")), re.MULTILINE):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        slugs.add(slug if slug not in found else f"{slug}-{found[slug]}")
        found[slug] = found.get(slug, 0) + 1
    return slugs


def broken_links(path: Path) -> list[str]:
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    broken = []
    for target in LINK.findall(text):
        if target.startswith(ELSEWHERE):
            continue
        name, _, anchor = target.partition("#")
        place = path.parent / name if name else path
        if not place.exists() or (anchor and place.suffix == ".md" and anchor not in anchors(place.resolve())):
            broken.append(target)
    return broken


def wrong_commands(path: Path) -> list[str]:
    wrong = []
    for command in printed_commands(path):
        if file_of(command.target) is None:
            wrong.append(f"{command.text}: there is no {command.target}")
            continue
        configuration, classes = settings_classes(command.target, command.words)
        for key in command.keys if classes else ():
            if key not in NOT_SETTINGS and (reason := unknown_key(key, configuration, classes)):
                wrong.append(f"{command.text}: {reason}")
    return wrong


@pytest.mark.parametrize("path", DOCUMENTS, ids=title)
def test_links_lead_somewhere(path):
    assert broken_links(path) == []


@pytest.mark.parametrize("path", LIVING, ids=title)
def test_printed_commands_are_there_and_know_their_keys(path):
    assert wrong_commands(path) == []


def test_every_page_of_the_documents_can_be_reached_from_the_readme():
    seen, left = set(), [paths.REPOSITORY / "README.md"]
    while left:
        page = left.pop()
        if page in seen:
            continue
        seen.add(page)
        text = FENCE.sub("", page.read_text(encoding="utf-8"))
        names = [target.partition("#")[0] for target in LINK.findall(text) if not target.startswith(ELSEWHERE)]
        left += [place for name in names if (place := (page.parent / name).resolve()).suffix == ".md"]
    pages = [path for path in DOCUMENTS if path.is_relative_to(paths.REPOSITORY / "docs")]
    assert [title(path) for path in pages if path not in seen] == []


def rows_of_formulas(section: str = "") -> list[list[str]]:
    """Return the cells of every row of a section's table of formulas, or of all, but for the heads."""
    text = FORMULAS.read_text(encoding="utf-8").partition(f"\n## {section}")[2]
    lines = re.findall(r"^\| (.+) \|$", text.partition("\n## ")[0] if section else text, re.MULTILINE)
    rows = [line.split(" | ") for line in lines]
    return [row for row in rows if row[0] not in ("formula", "---")]


def defined_in(section: str) -> set[str]:
    """Return the names that a section's formulas define: `a` = ..., `a`: ..., or several, `a`, `b` = ..."""
    groups = re.findall(r"((?:`\w+`(?:, )?)+)(?: =|:)", " ".join(row[0] for row in rows_of_formulas(section)))
    return {name for group in groups for name in re.findall(r"\w+", group)}


def test_every_formula_has_a_source_a_file_and_a_test():
    assert rows_of_formulas()
    for row in rows_of_formulas():
        formula, source, files, tests = row
        assert source, formula
        for cell, place in ((files, r"\.\./code/.*/\w+\.py"), (tests, r"\.\./tests/.*/test_\w+\.py")):
            links = LINK.findall(cell)
            assert links and all(re.fullmatch(place, link) for link in links), formula


def test_every_module_of_metrics_rewards_and_axes_has_its_formula():
    listed = {(FORMULAS.parent / link).resolve() for row in rows_of_formulas() for link in LINK.findall(row[2])}
    modules = [
        path for folder in FOLDERS_OF_FORMULAS for path in (paths.REPOSITORY / "code" / folder).glob("*.py")
        if path.stem != "__init__"
    ]
    # A row in docs/formulas.md, or, of what computes nothing, a word in WITHOUT_FORMULAS.
    assert {path.stem for path in modules if path.resolve() not in listed} == WITHOUT_FORMULAS


def test_every_metric_reward_and_axis_has_its_formula():
    sources = (paths.REPOSITORY / "code" / "rl_finetune" / "rewards").glob("*.py")
    rewards = {
        name for path in sources for name in re.findall(r'^@register\("(\w+)"\)', path.read_text("utf-8"), re.MULTILINE)
    }
    metrics = {metric.name.removesuffix("_fixed") for metric in METRICS}
    for section, names in (("Metrics", metrics), ("Rewards", rewards), ("Axes", set(AXES))):
        assert names and names - defined_in(section) == set()


def test_a_wrong_link_and_a_wrong_command_are_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "# A title, *here*\n[a](page.md#a-title-here) [b](page.md#nowhere) [c](gone.md)\n\n"
        "```\nX=1 bash code/rl_finetune/run.sh a 1 \\\n  2 3 direct.lowr=1 seed=S   # seed=\n"
        "python -m rl_finetune.sampel music=a && python -m rl_finetune.sample musik=a [out=b]\n```\n"
        "Or `bash\nscripts/gone.sh`, `train_edge.sh DATA family=bailando gtp_steps=1`, `eval.sh … sedd=1`,\n"
        "`python -m rl_finetune.finetune preset=demo reward_weights.my.Own=1 hold.x=2 tracker=[]`.\n"
    )
    assert broken_links(page) == ["page.md#nowhere", "gone.md"]
    reasons = [line.split(": ", 1)[1] for line in wrong_commands(page)]
    assert "lowr" in reasons[0] and "lower" in reasons[0]
    assert reasons[1:] == [
        "there is no rl_finetune.sampel", "unknown key 'musik'", "there is no scripts/gone.sh",
        "unknown key 'gtp_steps'", "unknown key 'sedd'", "unknown key 'tracker'",
    ]
