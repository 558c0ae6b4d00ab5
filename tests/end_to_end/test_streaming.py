"""A sweep on more features than its memory may hold: its numbers are those of one that holds them."""

from __future__ import annotations


def test_what_was_trained_on_streamed_features_is_reproduced_in_memory_bit_for_bit(here, speech):
    given = [f"--corpus={name}={speech[name]}" for name in ("emodb", "iemocap")]
    task = ["--cells=encoder_classifier/iemocap-emodb"]
    budget = ["--preset=smoke", "--trials=1", "--replicates=1", "--epochs=2"]
    printed = here.types("orchestrator.sweep", "ablation_addi", "--memory=0", *task, *budget, *given)
    kept = here.home / "runs" / ".features"
    for corpus in ("emodb", "iemocap"):
        assert f"mfb40 of {corpus}: 0.00" in printed
    assert printed.count(f"GiB do not fit into 0 GiB of memory: streamed from the store, kept in {kept}") == 2
    assert sorted(path.name.split("-")[1] for path in kept.glob("*.f32")) == ["emodb", "iemocap"]

    printed = here.types("orchestrator.reproduce", "ablation_addi/encoder_classifier/iemocap-emodb")
    assert "reproduced bit for bit" in printed and "do not fit" not in printed
