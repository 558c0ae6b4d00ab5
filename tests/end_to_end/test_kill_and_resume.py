"""A sweep that is killed or interrupted: nothing that has ended is lost, none of it runs again, the table is whole."""

from __future__ import annotations

import re
import signal
from collections import Counter

import pytest
from mlflow.tracking import MlflowClient

SWEEP = ("orchestrator.sweep", "ablation_addi")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_sweep_goes_on_where_it_was(user, here, speech, how):
    given = [f"--corpus={name}={path}" for name, path in speech.items()]
    process = user.start(*SWEEP, "--preset=smoke", "--cells=[aef]*/iemocap-emodb", *given)
    user.wait_for(process, lambda: len(user.ended()) >= 4)
    printed = user.kill(process, how)
    before = Counter(user.ended())
    if how != signal.SIGKILL:
        assert process.returncode == 130
        assert "nothing that has ended is lost" in " ".join(printed.split())
        assert f" -m {' '.join(SWEEP)} --resume" in printed
        assert set(statuses(user)) == {"FINISHED", "KILLED"}
    assert 4 <= len(before) < 12

    printed = here.types(*SWEEP, "--resume")
    after = Counter(user.ended())
    assert len(after) == 3 * (2 + 2) and set(after.values()) == {1}, "all there, none twice"
    assert before.items() <= after.items()
    assert "INCOMPLETE" not in printed and len(re.findall(r"\d ± \S+ +2/2 ", printed)) == 3
    assert statuses(user).count("FINISHED") == 1 + 3 + 12, "one launch, its cells, its runs"

    over = here.types(*SWEEP, "--resume", status=2)
    assert "every launch of ablation_addi in runs/ablation_addi has ended; there is nothing to resume" in over


def statuses(user) -> list[str]:
    client = MlflowClient(tracking_uri=f"sqlite:///{user.home / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("ablation_addi").experiment_id
    return [run.info.status for run in client.search_runs([experiment], max_results=1000)]
