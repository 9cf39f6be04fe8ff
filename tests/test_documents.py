"""Documents hold to what there is: their links lead somewhere, their commands are there and know their keys."""

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

from printed_commands import FENCE, file_of, printed_commands, settings_classes, unknown_key
from skeleton2stage import paths

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
ELSEWHERE = ("http://", "https://", "mailto:")
# Keys by which a command's own program hands on what it does not read itself.
NOT_SETTINGS = {"key", "KEY", "family"}


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
