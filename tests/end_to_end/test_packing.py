"""A sweep whose runs are trained in batches: the same table, and each run the one that it is by itself."""

from __future__ import annotations

import json


def test_packed_runs_are_in_mlflow_one_by_one_and_are_reproduced_by_themselves(here, speech):
    given = [f"--corpus={name}={speech[name]}" for name in ("emodb", "iemocap")]
    cells = [
        "--cells=full/iemocap-emodb",
        "--cells=encoder_classifier/iemocap-emodb",
        "--cells=is09_source/iemocap-emodb",
    ]
    budget = ["--preset=smoke", "--trials=2", "--replicates=2", "--epochs=2", "--pack=4", "--search-seeds=2"]
    printed = here.types("orchestrator.sweep", "ablation_addi", *budget, *cells, *given)
    assert "3 cells" in printed and "INCOMPLETE" not in printed and "problem" not in printed
    ended = here.ended("ablation_addi")
    assert len(ended) == len(set(ended)) == 3 * 2 + 2 + 2 + 1, "a searched cell has two trials, IS09 with its own C one"

    journal = next(here.home.glob("runs/ablation_addi/*/journal.jsonl")).read_text().splitlines()
    records = [json.loads(line)["record"] for line in journal if '"ended"' in line]
    tested = {record["kind"]: sum(map(sum, record["confusion"])) for record in records}
    assert tested["search"] == 2 * tested["replicate"] > 0, "a search trial is of two seeds"
    packed = {record["cell"]: record["origin"]["packed"] for record in records}
    assert packed == {
        "full/iemocap-emodb": True,
        "encoder_classifier/iemocap-emodb": True,
        "is09_source/iemocap-emodb": False,
    }

    printed = here.types("orchestrator.reproduce", "ablation_addi/encoder_classifier/iemocap-emodb")
    assert "being trained in one batch with other runs was True, here it is False" in printed
    assert "reproduced" in printed
