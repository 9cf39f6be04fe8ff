"""Which settings a run may go on with."""

import os
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from skeleton2stage.errors import UserError
from skeleton2stage.run_settings import RunSettings
from skeleton2stage.settings import setting


@dataclass(frozen=True)
class Inner:
    """Settings within settings."""

    width: int = 4
    workers: int = setting("of a test", default=1, may_change=True)


@dataclass(frozen=True)
class Outer:
    """One setting of each kind; `steps` may change where the rate does not depend on them."""

    rate: float = 0.1
    cool_down: float = 0.0
    steps: int = setting("of a test", default=5, may_change=lambda config: not config.cool_down)
    hold: dict[str, float] | None = None
    names: tuple[str, ...] = ("a", "b")
    judges: tuple[Path, ...] = ()
    model: Path = Path("nowhere")
    inner: Inner = Inner()
    machine: Inner = setting("of a test", default=Inner(), may_change=True)
    stages: tuple[Inner, ...] = field(default=(Inner(), Inner()))


def go_on(before: Outer, now: Outer, **processes: int) -> list[str]:
    """Return what is said of a run that goes on."""
    settings = RunSettings(now, **processes)
    settings.go_on_from(RunSettings(before).state(), Path("runs/r"))
    return settings.changes


@pytest.mark.parametrize(("change", "said"), [
    ({"rate": 0.2}, "rate=0.1, not 0.2"),
    ({"hold": {"x": 1.0}}, "hold=null, not {x: 1.0}"),
    ({"names": ("a",)}, r"names=\[a,b\], not \[a\]"),
    ({"inner": Inner(width=5)}, "inner.width=4, not 5"),
    ({"stages": (Inner(), Inner(width=7))}, r"stages\[1\].width=4, not 7"),
    ({"stages": (Inner(),)}, r"stages.count=2, not 1; with stages\[1\].width, which is no more"),
    ({"model": Path("elsewhere")}, "model=.*nowhere, not .*elsewhere"),
])
def test_what_changes_the_result_is_refused_by_name(change, said):
    with pytest.raises(UserError, match=f"runs/r was begun with {said}.*or another name for another run") as caught:
        go_on(Outer(), replace(Outer(), **change))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("change", "said"), [
    ({}, []),
    ({"steps": 9}, ["steps=9 (before: 5)"]),
    ({"inner": Inner(workers=2)}, ["inner.workers=2 (before: 1)"]),
    ({"machine": Inner(width=9)}, ["machine.width=9 (before: 4)"]),
])
def test_what_does_not_may_change_and_is_said(change, said):
    assert go_on(Outer(), replace(Outer(), **change)) == said


def test_a_setting_may_depend_on_another():
    with pytest.raises(UserError, match="steps=5, not 9"):
        go_on(Outer(cool_down=0.5), Outer(cool_down=0.5, steps=9))


def test_more_processes_are_said():
    assert go_on(Outer(), Outer(), processes=2) == ["number of processes=2 (before: 1)"]


def test_changes_are_remembered():
    first = RunSettings(Outer())
    second = RunSettings(Outer(steps=6))
    second.go_on_from(first.state(), Path("r"))
    third = RunSettings(Outer(steps=7))
    third.go_on_from(second.state(), Path("r"))
    assert third.changes == ["steps=6 (before: 5)", "steps=7 (before: 6)"]
    third.go_on_from(second.state(), Path("r"))  # looking twice adds nothing
    assert len(third.changes) == 2


def test_a_setting_that_another_version_had_not_is_refused():
    kept = RunSettings(Outer()).state()
    del kept["values"]["rate"]
    with pytest.raises(UserError, match="r was begun without rate, which is new in this version"):
        RunSettings(Outer()).go_on_from(kept, Path("r"))


def test_a_new_setting_that_may_change_is_taken_as_it_is():
    kept = RunSettings(Outer()).state()
    for name in ("machine.width", "inner.workers"):
        del kept["values"][name]
    settings = RunSettings(Outer(steps=6))
    settings.go_on_from(kept, Path("r"))
    assert settings.changes == ["steps=6 (before: 5)"]


def test_a_file_counts_by_its_content(tmp_path):
    model, moved = tmp_path / "model.safetensors", tmp_path / "moved.safetensors"
    for path in (model, moved):
        path.write_bytes(b"weights")
        path.with_suffix(".json").write_text("{}")
    kept = RunSettings(Outer(model=model)).state()
    settings = RunSettings(Outer(model=moved.with_suffix("")))
    settings.go_on_from(kept, Path("r"))
    assert settings.changes == []
    model.with_suffix(".json").write_text('{"guidance": 3}')
    with pytest.raises(UserError, match="model.safetensors as it was then: its content has changed"):
        RunSettings(Outer(model=model)).go_on_from(kept, Path("r"))


def test_files_in_a_list_count_by_their_content_in_its_order(tmp_path):
    one, moved, other = tmp_path / "one.npz", tmp_path / "moved.npz", tmp_path / "other.npz"
    for path, content in ((one, b"one"), (moved, b"one"), (other, b"other")):
        path.write_bytes(content)
    assert go_on(Outer(judges=(one, other)), Outer(judges=(moved, other))) == []
    for judges in ((other, one), (one,)):
        with pytest.raises(UserError, match="judges="):
            go_on(Outer(judges=(one, other)), Outer(judges=judges))


def test_a_folder_counts_by_the_names_and_sizes_in_it(tmp_path):
    (tmp_path / "clips" / "below").mkdir(parents=True)
    clip = tmp_path / "clips" / "below" / "a.pkl"
    clip.write_bytes(b"motion")
    kept = RunSettings(Outer(model=tmp_path / "clips")).state()
    (tmp_path / "clips" / ".hidden").write_text("of a write that was killed")
    os.rename(tmp_path / "clips", tmp_path / "elsewhere")
    RunSettings(Outer(model=tmp_path / "elsewhere")).go_on_from(kept, Path("r"))
    (tmp_path / "elsewhere" / "b.pkl").write_bytes(b"another")
    with pytest.raises(UserError, match="was begun with model="):
        RunSettings(Outer(model=tmp_path / "elsewhere")).go_on_from(kept, Path("r"))
