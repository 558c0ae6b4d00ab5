"""The CNN-LSTM and the discriminator of attributes.txt."""

from __future__ import annotations

import pytest
import torch

from trainables.networks.recurrent import FEATURES, AttributeDiscriminator, RecurrentEncoder


def size(module: torch.nn.Module) -> int:
    return sum(weight.numel() for weight in module.parameters())


def test_the_shared_layers_have_the_papers_1_8_million_parameters():
    assert size(RecurrentEncoder(40)) == 1_792_896 == pytest.approx(1.8e6, rel=0.01)


def test_a_discriminator_has_the_papers_million_parameters_whatever_its_attribute():
    for values in (2, 4, 6, 50):
        assert size(AttributeDiscriminator(3, values)) == 984_200 + 701 * values == pytest.approx(1e6, rel=0.02)


@pytest.mark.parametrize("length", [1, 2, 7, 8, 9, 63, 64, 65, 130])
def test_an_utterance_gives_the_same_whatever_follows_it(length):
    torch.manual_seed(0)
    encoder = RecurrentEncoder(40).eval()
    features = torch.randn(2, 150, 40)
    lengths = torch.tensor([length, 150])
    alone = encoder(features[:1, :length])[0]
    encoded = encoder(features, lengths)
    assert encoded.shape == (2, FEATURES)
    torch.testing.assert_close(encoded[0], alone)
    torch.testing.assert_close(encoded[1], encoder(features[1:])[0])
    features[0, length:] = 50.0
    assert torch.equal(encoder(features, lengths), encoded)
    features[0, length - 1] += 1.0
    assert not torch.equal(encoder(features, lengths)[0], encoded[0]), "its last frame is still read"


def test_dropout_comes_before_the_fully_connected_layer_and_not_in_evaluation():
    encoder, features = RecurrentEncoder(40), torch.randn(1, 40, 40)
    read: list[torch.Tensor] = []
    encoder.connected.register_forward_pre_hook(lambda module, inputs: read.append(inputs[0]))
    encoder(features.expand(200, -1, -1))
    encoder.eval()(features)
    assert (read[0] == 0).float().mean().item() == pytest.approx(0.5, abs=0.02)
    assert not (read[1] == 0).any()


def test_a_discriminator_sees_the_softmax_alone():
    discriminator, logits = AttributeDiscriminator(3, 4), torch.randn(2, 3)
    assert discriminator(logits).shape == (2, 4)
    # Adding the same to every logit leaves the softmax as it is.
    torch.testing.assert_close(discriminator(logits + 3.0), discriminator(logits))


def test_stacked_discriminators_give_what_each_gives():
    replicas, logits = [AttributeDiscriminator(3, 4) for _ in range(2)], torch.randn(2, 5, 3)
    weights, buffers = torch.func.stack_module_state(replicas)

    def discriminate(weights, buffers, logits):
        return torch.func.functional_call(replicas[0], (weights, buffers), (logits,))

    at_once = torch.func.vmap(discriminate)(weights, buffers, logits)
    torch.testing.assert_close(at_once, torch.stack([one(rows) for one, rows in zip(replicas, logits, strict=True)]))


def test_utterances_differ_in_the_representation_from_the_first_step():
    # With PyTorch's own first weights their deviation is below 0.001, and SGD at 0.002 hardly moves.
    torch.manual_seed(0)
    encoder = RecurrentEncoder(40).eval()
    with torch.no_grad():
        assert encoder(torch.randn(16, 100, 40)).std(dim=0).mean() > 0.01
