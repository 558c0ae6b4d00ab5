"""HuBERT: torchaudio's, but for padding; and where its weights come from."""

from __future__ import annotations

import urllib.error
from types import SimpleNamespace

import pytest
import torch
import torchaudio
from torchaudio.models.wav2vec2.utils import import_huggingface_model

from data_prep.errors import InputError
from trainables.networks.dense import SharedDropout
from trainables.networks.hubert import Hubert


def test_base_is_torchaudios_with_94_million_parameters():
    with torch.device("meta"):
        network, reference = Hubert("random"), torchaudio.models.hubert_base()
    ours, theirs = (
        {name: values.shape for name, values in each.state_dict().items()} for each in (network.hubert, reference)
    )
    assert ours == theirs
    # The paper's Table 1 rounds them up to 95 M.
    assert round(sum(weight.numel() for weight in network.parameters()) / 1e6, 1) == 94.4


def test_it_is_the_mean_over_time_of_torchaudios_last_layer():
    network = Hubert("random", size="tiny").eval()
    waveforms = torch.randn(2, 5000)
    with torch.no_grad():
        frames, _ = network.hubert(waveforms)
        assert frames.shape == (2, 15, 32)
        torch.testing.assert_close(network(waveforms.unsqueeze(2)), frames.mean(dim=1))


def test_weights_come_from_torchaudios_state_dictionary(tmp_path):
    pretrained = Hubert("random", size="tiny").hubert.state_dict()
    # The published file was written with weight normalisation's names of PyTorch 1.
    prefix = "encoder.transformer.pos_conv_embed.conv"
    pretrained[f"{prefix}.weight_g"] = pretrained.pop(f"{prefix}.parametrizations.weight.original0")
    pretrained[f"{prefix}.weight_v"] = pretrained.pop(f"{prefix}.parametrizations.weight.original1")
    reference = Hubert("random", size="tiny")
    reference.hubert.load_state_dict(pretrained)  # torchaudio's own way with the old names
    torch.save(pretrained, tmp_path / "hubert.pth")
    assert_same(Hubert(tmp_path / "hubert.pth", size="tiny"), reference.hubert)


def test_weights_come_from_hugging_faces_state_dictionary_as_torchaudio_imports_them(tmp_path):
    # What HubertModel consists of, and the names of its parts, as torchaudio's importer asks for them.
    parts = Hubert("random", size="tiny").hubert
    original = SimpleNamespace(
        feature_extractor=parts.feature_extractor,
        feature_projection=parts.encoder.feature_projection,
        encoder=parts.encoder.transformer,
        config=SimpleNamespace(
            feat_extract_norm="group",
            conv_dim=[16] * 7,
            conv_kernel=[10, 3, 3, 3, 3, 2, 2],
            conv_stride=[5, 2, 2, 2, 2, 2, 2],
            conv_bias=False,
            hidden_size=32,
            feat_proj_dropout=0.0,
            num_conv_pos_embeddings=128,
            num_conv_pos_embedding_groups=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            attention_dropout=0.0,
            intermediate_size=64,
            activation_dropout=0.0,
            hidden_dropout=0.0,
            do_stable_layer_norm=False,
            layerdrop=0.0,
        ),
    )
    published = {
        f"{part}.{name}": values
        for part in ("feature_extractor", "feature_projection", "encoder")
        for name, values in getattr(original, part).state_dict().items()
    }
    published["masked_spec_embed"] = torch.rand(32)
    torch.save(published, tmp_path / "pytorch_model.bin")
    assert_same(Hubert(tmp_path / "pytorch_model.bin", size="tiny"), import_huggingface_model(original))
    # Those of a model with a head of its own stand under "hubert.".
    torch.save({f"hubert.{name}": values for name, values in published.items()}, tmp_path / "with_head.bin")
    assert_same(Hubert(tmp_path / "with_head.bin", size="tiny"), parts)


def assert_same(network: Hubert, reference: torch.nn.Module) -> None:
    ours, theirs = network.hubert.state_dict(), reference.state_dict()
    assert ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_weights_that_do_not_fit_are_an_error(tmp_path):
    torch.save(Hubert("random", size="tiny").hubert.state_dict(), tmp_path / "tiny.pth")
    with torch.device("meta"), pytest.raises(InputError, match=r"HuBERT base: encoder\.transformer\.layers\.2\."):
        Hubert(tmp_path / "tiny.pth")
    with pytest.raises(InputError, match="unknown size of HuBERT 'bas'; known, nearest first: base"):
        Hubert("random", size="bas")


def test_a_failed_download_says_what_failed_and_what_to_do(monkeypatch, tmp_path):
    def fail(*arguments, **named):
        raise urllib.error.URLError("Temporary failure in name resolution")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))  # where nothing was downloaded before
    monkeypatch.setattr("torch.hub.urlopen", fail)
    with torch.device("meta"), pytest.raises(InputError, match=r"name resolution.*give weights its path") as told:
        Hubert("hub")
    assert "HUBERT_BASE" in str(told.value) and "\n" not in str(told.value)


def test_frozen_it_has_no_dropout_and_no_gradient():
    waveforms = torch.randn(2, 4000, 1)
    frozen = Hubert("random", size="tiny", trainable=False).train()
    torch.testing.assert_close(frozen(waveforms), frozen(waveforms), rtol=0, atol=0)
    assert not frozen(waveforms).requires_grad
    tuned = Hubert("random", size="tiny").train()
    assert not torch.equal(tuned(waveforms), tuned(waveforms)) and tuned(waveforms).requires_grad


def test_training_features_do_not_depend_on_the_number_of_workers():
    network, waveforms = Hubert("random", size="tiny").train(), torch.randn(4, 4000, 1)

    def encode(rows: torch.Tensor, worker: int, workers: int) -> torch.Tensor:
        for module in network.modules():
            if isinstance(module, SharedDropout):
                module.worker, module.workers = worker, workers
        torch.manual_seed(3)
        return network(rows)

    halves = [encode(waveforms[:2], 0, 2), encode(waveforms[2:], 1, 2)]
    torch.testing.assert_close(torch.cat(halves), encode(waveforms, 0, 1))
