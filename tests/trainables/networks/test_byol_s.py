"""BYOL-S: its size, its computation against the published definition, and published state dictionaries."""

from __future__ import annotations

import re

import pytest
import torch
from torch.nn.functional import batch_norm, conv2d, linear, max_pool2d

from data_prep.errors import InputError
from trainables.networks.byol_s import ByolS


def test_it_has_the_papers_1_6_million_parameters_and_1024_features():
    network = ByolS()
    convolutions = (64 * 9 + 3 * 64) + 2 * (64 * 64 * 9 + 3 * 64)
    connected = (64 * 8 * 1024 + 1024) + (1024 * 1024 + 1024)
    assert sum(weight.numel() for weight in network.parameters()) == convolutions + connected == 1_649_792
    assert network(torch.randn(3, 201, 64)).shape == (3, 1024)


def test_it_computes_what_the_public_definition_does_with_the_same_weights():
    torch.manual_seed(0)
    network = ByolS()
    network.train()(torch.randn(8, 96, 64) + 1)  # so that the running statistics are not as they were made
    state, spectrogram = network.eval().state_dict(), torch.randn(2, 101, 64)

    # AudioNTT2020, weight by weight: maps are (batch, channel, mel, time), and a time's values go to the connected
    # layers mel by mel with the channels innermost.
    maps = spectrogram.transpose(1, 2)[:, None]
    for convolution, norm in ((0, 1), (4, 5), (8, 9)):
        maps = conv2d(maps, state[f"features.{convolution}.weight"], state[f"features.{convolution}.bias"], padding=1)
        statistics = [state[f"features.{norm}.{name}"] for name in ("running_mean", "running_var", "weight", "bias")]
        maps = max_pool2d(batch_norm(maps, *statistics).relu(), 2, stride=2)
    times = torch.stack([maps[..., time].transpose(1, 2).reshape(2, 512) for time in range(12)], dim=1)
    for layer in (0, 3):
        times = linear(times, state[f"fc.{layer}.weight"], state[f"fc.{layer}.bias"]).relu()
    torch.testing.assert_close(network(spectrogram), times.max(dim=1).values + times.mean(dim=1))


def published(width: int = 1024) -> dict[str, torch.Tensor]:
    """A state dictionary as torch writes it of AudioNTT2020 with that many features."""
    shapes: dict[str, tuple[int, ...]] = {}
    for convolution, norm in ((0, 1), (4, 5), (8, 9)):
        shapes[f"features.{convolution}.weight"] = (64, 64 if convolution else 1, 3, 3)
        shapes[f"features.{convolution}.bias"] = (64,)
        for name in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"features.{norm}.{name}"] = (64,)
        shapes[f"features.{norm}.num_batches_tracked"] = ()
    shapes |= {"fc.0.weight": (width, 512), "fc.0.bias": (width,), "fc.3.weight": (width, width), "fc.3.bias": (width,)}
    return {name: torch.rand(shape) for name, shape in shapes.items()}


def test_it_starts_from_a_published_state_dictionary(tmp_path):
    state = published()
    torch.save(state, tmp_path / "byol_s.pth")
    loaded = ByolS(tmp_path / "byol_s.pth").state_dict()
    assert all(torch.equal(loaded[name], values) for name, values in state.items() if "tracked" not in name)


def test_weights_that_do_not_fit_are_an_error_that_names_the_first_misfits(tmp_path):
    path = tmp_path / "byol_s.pth"
    torch.save(published(2048), path)
    with pytest.raises(InputError, match=re.escape("fc.0.weight has shape (2048, 512) instead of (1024, 512)")) as told:
        ByolS(path)
    assert "and 1 more" in str(told.value) and "BYOL-S with 1,024 features" in str(told.value)

    state = published()
    state["online_encoder.fc.3.bias"] = state.pop("fc.3.bias")
    torch.save(state, path)
    with pytest.raises(InputError, match=r"fc\.3\.bias is missing; online_encoder\.fc\.3\.bias is not of it$"):
        ByolS(path)


@pytest.mark.parametrize("content", [b"", b"not a state dictionary", None])
def test_a_file_that_is_no_state_dictionary_is_an_error_of_one_line(content, tmp_path):
    path = tmp_path / "byol_s.pth"
    with pytest.raises(InputError, match=r"no file .*BYOL-S"):
        ByolS(path)
    if content is None:
        torch.save([1, 2], path)
    else:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"byol_s\.pth .*state dictionary.*BYOL-S") as told:
        ByolS(path)
    assert "\n" not in str(told.value)
