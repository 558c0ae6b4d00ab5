"""The report: made-up records through real MLflow and out again, as a page that needs nothing else."""

from __future__ import annotations

import io
import json
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from orchestrator import report
from orchestrator.mlflow_client import MlflowClient
from orchestrator.plots import inline
from orchestrator.report import conclude, main, report_commands, write_report
from orchestrator.study import Study
from orchestrator.tables import summary
from orchestrator.tracking import Tracker

CELLS = ("full/iemocap-msp_improv", "baseline/iemocap-msp_improv", "full/iemocap-emodb", "baseline/iemocap-emodb")
CONTEXT = {
    "launch": {"command": "python -m orchestrator.sweep made_up", "sampler": "tpe"},
    "environment": {"code": "abc123", "machine": "a machine", "python": "3.11", "packages": {"torch": "2.11.0"}},
    "data": {"store": "stores/demo"},
    "demo": True,
}


@pytest.fixture
def records(make_record):
    """Four cells of four trials, of which one is stopped and one fails, and three replicates; one cell lacks one."""
    made = []
    for place, cell in enumerate(CELLS):
        for number in range(4):
            status = {2: "stopped", 3: "failed"}.get(number, "finished")
            error = "<script>alert('no')</script>" if status == "failed" else None
            made.append(make_record(cell, "search", number, validation=0.5 + number / 100, status=status, error=error))
        for number in range(2 if place == 3 else 3):
            scores = {"validation": 0.6 - place / 100, "test": 0.4 + place / 50 + number / 100}
            made.append(make_record(cell, "replicate", number, epochs=3 + number, **scores))
    return made


@pytest.fixture
def page(tmp_path, study, records) -> str:
    path = tmp_path / "report.html"
    rows = summary(records, study)
    write_report(path, study, records, CONTEXT, report_commands(rows, records, study, "sqlite:///mlflow.db"))
    return path.read_text(encoding="utf-8")


@pytest.fixture
def tracker(tmp_path, uri, study) -> Tracker:
    context = {**CONTEXT, "study": study.to_dict()}
    return Tracker(tmp_path / "launch", uri, "made_up", context=context, tags={"ser.sweep": "made_up"}, interval=0.05)


@pytest.fixture
def concluded(tmp_path, tracker, records) -> tuple[str, str]:
    """What concluding a launch of all the records prints, and its report."""
    for record in records:
        tracker.started(record.key, record.config)
        for epoch in record.history:
            tracker.reported(record.key, epoch)
        tracker.ended(record)
    said = io.StringIO()
    launch = SimpleNamespace(directory=tmp_path / "launch", sweep="made_up")
    assert conclude(Console(file=said, width=100), launch, tracker) == 0
    return said.getvalue(), (tmp_path / "launch" / "report.html").read_text(encoding="utf-8")


class Balanced(HTMLParser):
    """Checks that every element is closed where it must be, and no id is there twice."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag, attributes):
        self.ids += [value for name, value in attributes if name == "id" and value]
        if tag not in ("meta", "br", "p", "li"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.ids += [value for name, value in attributes if name == "id" and value]

    def handle_endtag(self, tag):
        if tag not in ("p", "li"):
            assert self.open.pop() == tag


def test_the_page_needs_nothing_from_anywhere(page):
    assert not re.findall(r"https?:|//[a-z]|@import|url\((?!#)|<link|<iframe|<script|src=", page)
    assert page.count("<svg") == 1 + 2 * len(CELLS)


def test_the_page_is_well_formed_and_no_name_in_it_is_taken_twice(page):
    parser = Balanced()
    parser.feed(page)
    assert parser.open == []
    assert len(set(parser.ids)) == len(parser.ids) > 0
    for name in re.findall(r"(?:url\(|href=\")#([^)\"]+)", page):
        assert name in parser.ids


def test_the_table_comes_first_and_every_score_of_it_is_there(page, study, records):
    assert page.index('<table class="main">') < page.index("<svg") < page.index("How to read it")
    assert "45.0 ± 1.0" in page  # 44, 45, 46
    assert "46.1 ± 1.6" in page  # published
    assert "2/3" in page
    assert "INCOMPLETE: 1 of 4 cells lack replicates: baseline/iemocap-emodb." in page
    assert "chance 25.0 %" in page
    assert "source_val" in page
    assert "random_80_20" in page


def test_how_many_utterances_each_replicate_saw_of_which_part_is_there(tmp_path, study, records):
    seen = {"split": {"train": 4425, "validation": 1106, "development": 160, "test": 375, "digest": "abc"}}
    path = tmp_path / "seen.html"
    write_report(path, study, [replace(record, origin=seen) for record in records], CONTEXT, {})
    page = path.read_text(encoding="utf-8")
    assert page.count("<td>train 4425, validation 1106, development 160, test 375</td>") == 3 + 3 + 3 + 2


def test_demo_corpora_are_in_the_title_and_only_then(tmp_path, page, study, records):
    assert re.search(r"<title>DEMO CORPORA", page)
    path = tmp_path / "real.html"
    write_report(path, replace(study, demo=False), records, CONTEXT, {})
    assert "demo" not in path.read_text(encoding="utf-8").replace("stores/demo", "").lower()


def test_what_a_run_says_is_text_and_never_markup(page):
    assert "<script>" not in page
    assert "&lt;script&gt;alert(" in page


def test_confusion_is_summed_over_replicates_and_shown_as_shares_of_the_true_class(page):
    # Each replicate has the row 9, 1, 0, 0: three of them 27 of 30 = 90 %.
    assert re.search(r">90<small>27</small>", page)
    assert re.search(r">10<small>3</small>", page)


def test_the_best_cell_is_the_best_on_validation_and_its_run_is_named(page, study, records):
    assert "-m orchestrator.reproduce made_up/full/iemocap-msp_improv" in page
    known = [replace(record, run_id=f"id-of-{record.key}") for record in records]
    commands = report_commands(summary(known, study), known, study, "http://server:5000")
    assert [command.partition(" ")[2] for command in commands.values()] == [
        "-m orchestrator.reproduce id-of-full/iemocap-msp_improv/replicate-0 --tracking-uri http://server:5000",
        "-m orchestrator.report made_up --tracking-uri http://server:5000",
    ]


def test_a_sweep_of_which_nothing_has_ended_has_a_report_too(tmp_path, study):
    path = tmp_path / "empty.html"
    write_report(path, study, [], CONTEXT, {})
    text = path.read_text(encoding="utf-8")
    assert text.count("No run of this cell has ended.") == 4
    assert "INCOMPLETE: 4 of 4 cells" in text


def test_a_launch_ends_with_its_table_its_report_and_its_commands(concluded, tracker, uri):
    said, page = concluded
    assert "45.0 ± 1.0" in said
    run = re.search(r"orchestrator.reproduce ([0-9a-f]{32})", said)
    assert run is not None and run.group(1) in page
    tags = MlflowClient(uri).get_run(run.group(1)).data.tags
    assert (tags["ser.cell"], tags["ser.kind"], tags["ser.number"]) == ("full/iemocap-msp_improv", "replicate", "0")
    kept = MlflowClient(uri).download_artifacts(tracker.launch_run_id, "report.html")
    assert Path(kept).read_text(encoding="utf-8") == page


def test_the_report_made_again_from_mlflow_alone_is_the_same(concluded, tracker, tmp_path, uri, capsys):
    said, page = concluded
    shutil.rmtree(tmp_path / "launch")
    for name in ("made_up", tracker.launch_run_id):
        assert main([name, "--tracking-uri", uri, "--out", str(tmp_path / "again.html")]) == 0
        assert (tmp_path / "again.html").read_text(encoding="utf-8") == page
        table = said[: said.index("report:")]
        assert "".join(capsys.readouterr().out.split()).startswith("".join(table.split()))


def test_an_unknown_sweep_is_one_line_that_lists_the_known_ones(tracker, uri, capsys):
    tracker.close()
    assert main(["mad_up", "--tracking-uri", uri]) == 2
    assert "nearest first: made_up" in capsys.readouterr().err


def test_a_report_that_cannot_be_written_is_one_line(tracker, uri, capsys, tmp_path):
    tracker.close()
    assert main(["made_up", "--tracking-uri", uri, "--out", str(tmp_path / "no" / "such" / "folder.html")]) == 2
    assert "--out" in capsys.readouterr().err


def test_a_report_needs_no_sweep_file(study):
    again = Study.from_dict(json.loads(json.dumps(study.to_dict())))
    assert [row.cell for row in summary([], again)] == list(CELLS)
    assert "search_spaces" not in vars(report)


def test_an_inlined_plot_takes_the_pages_colours_and_keeps_its_names_to_itself():
    svg = (
        '<?xml version="1.0"?><!DOCTYPE svg><svg xmlns="http://www.w3.org/2000/svg" version="1.1" width="9pt">'
        '<metadata>http://x</metadata><defs><path id="a"/></defs><use xlink:href="#a" style="fill: #010203"/>'
        '<g clip-path="url(#a)"/></svg>'
    )
    assert inline(svg, 'A "plot"') == (
        '<svg role="img" aria-label="A &quot;plot&quot;" width="9pt"><defs><path id="a-plot--a"/></defs>'
        '<use href="#a-plot--a" style="fill: currentColor"/><g clip-path="url(#a-plot--a)"/></svg>'
    )


def test_every_way_to_choose_a_trial_stands_beside_the_oracle_cell_by_cell(tmp_path, study, make_record):
    # Two trials of test UAR .40 and .60 in each cell: the validation score prefers the worse, the entropy the better.
    known = [
        {"validation_uar": 0.7, "test_uar": 0.4, "criterion/entropy": -0.9},
        {"validation_uar": 0.5, "test_uar": 0.6, "criterion/entropy": -0.1},
    ]
    records = [
        make_record(cell, "search", number, metrics=metrics)
        for cell in reversed(CELLS)
        for number, metrics in enumerate(known)
    ]
    write_report(tmp_path / "report.html", study, records, CONTEXT, {})
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    table = page[page.index("Choosing a configuration without target labels") :]
    table = table[: table.index("</table>")]
    assert re.findall(r"<th>([^<]*)</th>", table)[1:] == [
        "validation (the search&#39;s own)",
        "entropy",
        "oracle (no result)",
        "a trial at random",
    ]
    rows = [re.findall(r"<td[^>]*>(?:<b>)?([^<]*)", row) for row in table.split("<tr>")[2:]]
    assert rows[:4] == [[cell, "40.0", "60.0", "60.0", "50.0"] for cell in study.cells]
    assert rows[4:] == [
        ["mean", "40.0", "60.0", "60.0", "50.0"],
        ["of the oracle's gain kept", "-100 %", "100 %", "100 %", "0 %"],
    ]


def test_how_well_the_domains_can_be_told_apart_is_the_mean_over_the_replicates(tmp_path, study, make_record):
    records = [
        make_record(
            CELLS[0],
            "replicate",
            number,
            metrics={
                "validation_uar": 0.5,
                "test_uar": 0.4,
                "domain_accuracy/raw": 0.9 + number / 10,
                "domain_accuracy/representation": 0.5 + number / 5,
            },
        )
        for number in range(2)
    ]
    write_report(tmp_path / "report.html", study, records, CONTEXT, {})
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    table = page[page.index("can be told apart</h2>") :]
    cells = re.findall(r"<td>([^<]*)</td>", table[: table.index("</table>")])
    assert cells == [CELLS[0], "95.0", "60.0"], "a cell that says nothing of it has no row"
