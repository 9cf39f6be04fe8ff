import json
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
import yaml

from skeleton2stage.errors import UserError
from skeleton2stage.metrics.bars import bars_figure
from skeleton2stage.metrics.comparison import (
    Result,
    as_json,
    as_latex,
    as_markdown,
    as_yaml,
    compare,
    read_result,
    write_comparison,
)
from skeleton2stage.plots.plot_style import save_figure

RESULTS = [
    Result("base", {"pfc": 2.0, "fgd": 0.0, "mot_mag": 0.4}, {"pfc": 0.5}),
    Result("tuned_1", {"pfc": 1.5, "fgd": 1.0, "mot_mag": 0.3, "bas": 0.25}, {"pfc": 0.25}),
    Result("third", {"pfc": 3.0, "bas": 0.5}, {}),
]


def cells_of(row, mark):
    return [cell.strip() for cell in row.strip(mark).split(mark)]


def test_markdown_shows_errors_changes_and_the_best():
    table = as_markdown(RESULTS)
    head, rule, *rows = table.splitlines()
    assert len({len(line) for line in table.splitlines()}) == 1
    assert cells_of(head, "|") == ["metric", "base", "tuned_1", "third"] and rule.count(":") == 3
    assert [cells_of(row, "|") for row in rows] == [
        ["pfc ↓", "2.0000 ± 0.5000", "**1.5000 ± 0.2500** (-25.0 %)", "3.0000 (+50.0 %)"],
        ["fgd ↓", "**0.00**", "1.00 (+1.00)", "–"],
        ["mot_mag →", "0.4000", "0.3000 (-25.0 %)", "–"],
        ["bas ↑", "–", "0.2500", "**0.5000**"],
    ]


def test_latex_is_escaped_and_balanced():
    begin, rule, head, _, *rows, last_rule, end = as_latex(RESULTS).splitlines()
    assert begin == r"\begin{tabular}{lrrr}" and end == r"\end{tabular}" and rule == last_rule == r"\hline"
    assert cells_of(head.removesuffix(r" \\"), "&") == ["metric", "base", r"tuned\_1", "third"]
    assert cells_of(rows[0].removesuffix(r" \\"), "&") == [
        r"pfc $\downarrow$", r"2.0000 $\pm$ 0.5000", r"\textbf{1.5000} $\pm$ 0.2500 (-25.0\,\%)", r"3.0000 (+50.0\,\%)",
    ]
    assert rows[2].startswith(r"mot\_mag $\rightarrow$") and len(rows) == 4


def test_json_holds_numbers():
    content = json.loads(as_json(RESULTS))
    assert [result["title"] for result in content["results"]] == ["base", "tuned_1", "third"]
    tuned = content["metrics"]["pfc"]["results"][1]
    assert tuned == {
        "title": "tuned_1", "value": 1.5, "error": 0.25, "change": -0.5, "change_percent": -25.0, "best": True,
    }
    assert content["metrics"]["fgd"]["results"][1]["change_percent"] is None
    assert not any(cell["best"] for cell in content["metrics"]["mot_mag"]["results"])


def test_the_suffix_chooses_the_form(tmp_path):
    for suffix, form in ((".md", as_markdown), (".tex", as_latex), (".json", as_json)):
        write_comparison(tmp_path / f"table{suffix}", RESULTS)
        assert (tmp_path / f"table{suffix}").read_text() == form(RESULTS)
    with pytest.raises(UserError, match=r"\.md, \.tex, \.json"):
        write_comparison(tmp_path / "table.txt", RESULTS)


def test_yaml_has_the_values_alone():
    assert yaml.safe_load(as_yaml(RESULTS)) == {result.title: result.metrics for result in RESULTS}


def test_equal_values_are_not_the_best():
    assert "**" not in as_markdown([Result("a", {"pfc": 1.0}, {}), Result("b", {"pfc": 1.0}, {})])
    assert "**" not in as_markdown([Result("a", {"pfc": 1.0}, {}), Result("b", {}, {})])


def test_results_of_earlier_versions_are_read_and_others_refused(tmp_path):
    (tmp_path / "old.json").write_text('{"n_motions": 3, "metrics": {"pfc": 1.0}}')
    assert read_result("old", tmp_path / "old.json") == Result("old", {"pfc": 1.0}, {}, n_motions=3)
    (tmp_path / "other.json").write_text("[1]")
    with pytest.raises(UserError, match="not a metrics.json"):
        read_result("other", tmp_path / "other.json")


def test_bars_are_in_proportion_with_intervals():
    axes = bars_figure(RESULTS).axes
    assert [axis.get_title(loc="left") for axis in axes] == ["pfc ↓", "fgd ↓", "mot_mag →", "bas ↑"]
    widths = [bar.get_width() for bar in axes[0].patches]
    assert widths[1] / widths[0] == pytest.approx(0.75, abs=0.01)
    spans = [np.ptp(line.get_xdata()) for line in axes[0].lines]
    assert len(spans) == 2 and spans[0] / widths[0] == pytest.approx(2 * 1.96 * 0.5 / 2.0, abs=0.01)
    assert len(axes[3].patches) == 2  # the base has no bas
    assert [text.get_text() for text in axes[3].texts][0] == "–"
    best = [text for text in axes[0].texts if text.get_fontweight() == "bold"]
    assert len(best) == 1 and float(best[0].get_text()) == pytest.approx(min(widths), abs=0.01)


def test_titles_cannot_break_the_drawing(tmp_path):
    save_figure(tmp_path / "bars.svg", bars_figure([Result("a <b> & $c", {"pfc": 1.0}, {})]))
    texts = [element.text for element in ElementTree.parse(tmp_path / "bars.svg").iter("{http://www.w3.org/2000/svg}text")]
    assert "a <b> & $c" in texts


def test_every_sign_that_latex_knows_is_written_as_itself():
    title = "a&b%c$d#e_f{g}h\\i~j^k"
    head = as_latex([Result(title, {"pfc": 1.0}, {})]).splitlines()[2]
    escaped = r"a\&b\%c\$d\#e\_f\{g\}h\textbackslash{}i\~{}j\^{}k"
    assert cells_of(head.removesuffix(r" \\"), "&")[0] == "metric" and escaped in head


def test_a_result_without_a_value_is_a_dash_in_latex_too():
    rows = as_latex(RESULTS).splitlines()
    assert rows[5].endswith(r"& -- \\") and rows[7].split("&")[1].strip() == "--"


@pytest.mark.parametrize(("metric", "values", "best"), [
    ("pfc", (2.0, 1.0, 3.0), [False, True, False]),  # lower
    ("bas", (0.2, 0.1, 0.3), [False, False, True]),  # higher
    ("mot_mag", (0.2, 0.1, 0.3), [False, False, False]),  # neither
    ("pfc", (1.0, 1.0, 3.0), [True, True, False]),  # shared
    ("pfc", (None, 1.0, 3.0), [False, True, False]),
])
def test_the_best_is_that_of_the_metrics_own_direction(metric, values, best):
    results = [
        Result(str(place), {} if value is None else {metric: value}, {}) for place, value in enumerate(values)
    ]
    ((_, cells),) = compare(results)
    assert [cell.best for cell in cells] == best


def test_changes_are_against_the_first_whatever_its_sign():
    ((_, cells),) = compare([Result("a", {"motion_critic": -2.0}, {}), Result("b", {"motion_critic": -1.0}, {})])
    assert (cells[0].change, cells[0].change_percent) == (None, None)
    assert cells[1].change == 1.0 and abs(cells[1].change_percent) == pytest.approx(50.0)


def test_what_is_written_behind_a_bar_fits_and_stands_behind_its_interval():
    figure = bars_figure(RESULTS)
    axis = figure.axes[0]
    ends = [2.0 + 1.96 * 0.5, 1.5 + 1.96 * 0.25, 3.0]
    assert axis.get_xlim() == pytest.approx((0.0, 1.2 * max(ends)))
    places = [text.get_position() for text in axis.texts]
    assert places == [(pytest.approx(end + 0.02 * max(ends)), row) for row, end in enumerate(ends)]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["base", "tuned_1", "third"]
    assert axis.yaxis_inverted()  # the first at the top, as in the table
    assert len({bar.get_facecolor() for bar in axis.patches}) == 3
    colours = [[bar.get_facecolor() for bar in each.patches] for each in figure.axes[:3]]
    assert colours[2] == colours[0][:2]  # a result has one colour throughout


def test_negative_values_have_no_bar_and_are_written():
    axis = bars_figure([Result("a", {"motion_critic": -2.0}, {"motion_critic": 0.5})]).axes[0]
    assert axis.patches[0].get_width() == 0 and axis.texts[0].get_text() == "-2.000"
    assert axis.lines[0].get_xdata().tolist() == [0.0, 0.0]


def test_a_panel_without_a_metric_is_empty():
    """Of an odd number of metrics the last place of two columns."""
    figure = bars_figure([Result("a", {"pfc": 1.0, "fgd": 2.0, "bas": 0.3}, {})])
    assert [axis.axison for axis in figure.axes] == [True, True, True, False]
    assert figure.get_size_inches()[1] > bars_figure([Result("a", {"pfc": 1.0}, {})]).get_size_inches()[1]


def test_numbers_that_are_no_numbers_are_not_written_as_json():
    with pytest.raises(ValueError, match="JSON"):
        as_json([Result("a", {"pfc": float("nan")}, {})])
