"""The three commands of the README on small corpora: build, sweep, browse, report, reproduce."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from pathlib import Path
from urllib.request import Request, urlopen


def test_build_sweep_browse_report_and_reproduce(user, speech, server):
    given = [f"--corpus={name}={path}" for name, path in speech.items()]
    printed = user.types("data_prep.build", *given, "--store", "store")
    assert re.search(r"iemocap.*\b80\b", printed) and "store" in printed

    printed = user.types("orchestrator.sweep", "ablation_addi", "--preset=smoke", "--store=store", "--cells=full/*")
    assert "DEMO CORPORA" in printed and "source_val" in printed and "chance is 25.0" in printed
    assert "45.1 ± 0.8" in printed and "46.1 ± 1.6" in printed
    command = re.search(r"python -m (orchestrator\.reproduce)\s+(\S+)", printed)
    assert command and re.fullmatch("[0-9a-f]{32}", command[2])
    report = next(user.home.glob("runs/ablation_addi/*/report.html")).read_text()
    assert "45.1 ± 0.8" in report and "<svg" in report and "demo corpora" in report
    assert not re.search(r"""src\s*=|href\s*=\s*["']?http|@import|url\(['"]?http""", report), "it needs nothing else"

    wait_for(server)
    experiment = experiment_of(server)
    runs = answer(f"{server}/api/2.0/mlflow/runs/search", {"experiment_ids": [experiment], "max_results": 100})["runs"]
    kinds = [next(tag["value"] for tag in run["data"]["tags"] if tag["key"] == "ser.kind") for run in runs]
    assert {kind: kinds.count(kind) for kind in kinds} == {"sweep": 1, "cell": 2, "search": 4, "replicate": 4}
    assert {run["info"]["status"] for run in runs} == {"FINISHED"}
    if chromium := shutil.which("chromium"):
        address = f"{server}/#/experiments/{experiment}/runs"
        assert "(demo corpora)" in page(chromium, address, user.home), "the launch"
        shown = page(chromium, f"{address}/{command[2]}", user.home)
        assert "full/iemocap-" in shown and "test_uar" in shown

    shutil.move(user.home / "runs", user.home / "lost")
    again = user.types("orchestrator.report", "ablation_addi", "--out=again.html")
    assert len(table(printed)) == 2 and table(again) == table(printed)
    assert "<svg" in (user.home / "again.html").read_text()

    reproduced = user.types(command[1], command[2])
    assert "reproduced bit for bit" in reproduced and re.search(r"test_uar .* yes", reproduced)


def test_other_corpora_and_the_reproduction_of_a_run_whose_corpora_have_moved(here, speech):
    given = [f"--corpus={name}={speech[name]}" for name in ("emodb", "msp_improv")]
    printed = here.types(
        "orchestrator.sweep",
        "ablation_addi",
        "--preset=smoke",
        "--source=emodb",
        "--target=msp_improv",
        "--cells=encoder_classifier/*",
        "--cells=is09_coral/*",
        "--paper-values",
        *given,
    )
    assert "emodb → msp_improv" in printed and "45.1" not in printed, "the paper has no figure for these corpora"
    shutil.rmtree(here.home / "stores")
    moved = {name: Path(shutil.copytree(speech[name], here.home / f"moved-{name}")) for name in ("emodb", "msp_improv")}
    again = [f"--corpus={name}={path}" for name, path in moved.items()]
    run = "ablation_addi/encoder_classifier/emodb-msp_improv"
    assert "reproduced bit for bit" in here.types("orchestrator.reproduce", run, *again)
    sorted(moved["emodb"].rglob("*.wav"))[0].write_bytes(b"")
    refused = here.types("orchestrator.reproduce", run, *again, status=2)
    assert re.search(r"error: the data in .* is not what the run was trained on", refused)


def experiment_of(server: str) -> str:
    found = answer(f"{server}/api/2.0/mlflow/experiments/get-by-name?experiment_name=ablation_addi")
    return found["experiment"]["experiment_id"]


def answer(url: str, body: dict | None = None) -> dict:
    data = None if body is None else json.dumps(body).encode()
    with urlopen(Request(url, data, {"Content-Type": "application/json"}), timeout=30) as reply:
        return json.load(reply)


def wait_for(server: str) -> None:
    for _ in range(300):
        try:
            urlopen(f"{server}/health", timeout=5).close()
            return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"no server at {server}")


def table(printed: str) -> list[str]:
    return [line.strip() for line in printed.splitlines() if "±" in line and re.match(r"\s*\d", line)]


def page(chromium: str, url: str, home: Path) -> str:
    """What a browser makes of a page, once its scripts have run."""
    options = "headless no-sandbox disable-gpu disable-quic no-first-run disable-sync disable-background-networking"
    options += f" disable-component-update user-data-dir={home / 'browser'} window-size=1600,1200"
    options += " virtual-time-budget=20000 dump-dom"
    command = [chromium, *(f"--{option}" for option in options.split()), url]
    return subprocess.run(command, capture_output=True, text=True, timeout=120).stdout
