"""A sweep on more features than its memory may hold: its numbers are those of one that holds them."""

from __future__ import annotations

from orchestrator.reproduce import main as reproduce
from orchestrator.sweep import main as sweep


def test_what_was_trained_on_streamed_features_is_reproduced_in_memory_bit_for_bit(
    tmp_path, speech, ray_session, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    given = [f"--corpus={name}={speech[name]}" for name in ("emodb", "iemocap")]
    task = ["--cells=encoder_classifier/iemocap-emodb"]
    budget = ["--preset=smoke", "--trials=1", "--replicates=1", "--epochs=2"]
    assert sweep(["ablation_addi", "--memory=0", "--store=store", *task, *budget, *given]) == 0
    printed = capsys.readouterr().out
    kept = tmp_path / "runs" / ".features"
    for corpus in ("emodb", "iemocap"):
        assert f"mfb40 of {corpus}: 0.00" in printed
    assert printed.count(f"GiB do not fit into 0 GiB of memory: streamed from the store, kept in {kept}") == 2
    assert sorted(path.name.split("-")[1] for path in kept.glob("*.f32")) == ["emodb", "iemocap"]

    assert reproduce(["ablation_addi/encoder_classifier/iemocap-emodb"]) == 0
    printed = capsys.readouterr().out
    assert "reproduced bit for bit" in printed and "do not fit" not in printed
