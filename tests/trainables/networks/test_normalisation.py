"""Batch normalisation: of the whole batch on any number of workers, and in the four ways of dann.txt, 4.2.2."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import distributed, multiprocessing, nn

from data_prep.errors import InputError
from trainables.networks.normalisation import SharedBatchNorm, normalise
from trainables.workers import Workers

WORKERS = 2


def make_data() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    far = torch.tensor([0.0, 10.0, -1000.0])
    return {
        "features": torch.randn(8, 3, dtype=torch.float64, generator=generator),
        "channels": torch.randn(8, 3, 5, dtype=torch.float64, generator=generator),
        "far from zero": torch.randn(8, 3, generator=generator) * torch.tensor([1.0, 3.0, 0.5]) + far,
    }


def make_network(bn: nn.Module, dtype: torch.dtype) -> nn.Sequential:
    """Channels are mixed before, so that gradients must flow through the statistics, and after."""
    torch.manual_seed(1)
    before, after = nn.Conv1d(3, 3, 1), nn.Conv1d(3, 2, 1)
    nn.init.eye_(before.weight[:, :, 0].detach())
    return nn.Sequential(before, bn, nn.Tanh(), after).to(dtype)


def train_once(network: nn.Sequential, values: torch.Tensor, workers: Workers) -> dict[str, torch.Tensor]:
    """What two batches leave: what the network gives for the second, its gradients as the loop averages them, buffers."""
    values = values if values.dim() == 3 else values.unsqueeze(2)
    network(values + 1.0)
    given = network(values)
    loss = (given * torch.arange(2.0).view(1, 2, 1)).square().mean() + given.mean()
    gradients = torch.autograd.grad(loss, list(network.parameters()))
    workers.average(gradients)
    names = [f"gradient of {name}" for name, _ in network.named_parameters()]
    buffers = {name: buffer.clone() for name, buffer in network.named_buffers()}
    return {"given": given.detach(), **dict(zip(names, gradients, strict=True)), **buffers}


def stacked(network: nn.Sequential, values: torch.Tensor) -> dict[str, torch.Tensor]:
    """What two replicas of the network, the second of which sees twice the values, give at once."""
    replicas = [network, copy.deepcopy(network)]
    weights, buffers = torch.func.stack_module_state(replicas)

    def loss(weights, buffers, values):
        given = torch.func.functional_call(network, (weights, buffers), (values.unsqueeze(2),))
        return given.square().mean()

    gradients = torch.func.vmap(torch.func.grad(loss))(weights, buffers, torch.stack([values, 2 * values]))
    return {**gradients, **buffers}


def work(rank: int, folder: str) -> None:
    distributed.init_process_group("gloo", f"file://{folder}/meeting", rank=rank, world_size=WORKERS)
    left = {}
    for name, values in make_data().items():
        bn = SharedBatchNorm(3)
        bn.worker, bn.workers = rank, WORKERS
        network = make_network(bn, values.dtype)
        left[name] = train_once(network, values.chunk(WORKERS)[rank], Workers(rank, WORKERS))
        left[name]["in evaluation"] = network.eval()(values.view(8, 3, -1)).detach()
        if name == "features":
            left["stacked"] = stacked(network.train(), values.chunk(WORKERS)[rank])
    torch.save(left, f"{folder}/{rank}.pt")
    distributed.destroy_process_group()


@pytest.fixture(scope="module")
def workers_left(tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("workers"))
    multiprocessing.spawn(work, (folder,), nprocs=WORKERS)
    return [torch.load(f"{folder}/{rank}.pt") for rank in range(WORKERS)]


@pytest.mark.parametrize(("name", "tolerance"), [("features", 1e-12), ("channels", 1e-12), ("far from zero", 1e-3)])
def test_two_workers_give_what_torchs_layer_gives_on_the_whole_batch(workers_left, name, tolerance):
    values = make_data()[name]
    network = make_network(nn.BatchNorm1d(3), values.dtype)
    whole = train_once(network, values, Workers())
    whole["in evaluation"] = network.eval()(values.view(8, 3, -1)).detach()
    first, second = (left[name] for left in workers_left)
    together = {**first, "given": torch.cat([first["given"], second["given"]])}
    assert together.keys() == whole.keys()
    for part in whole:
        torch.testing.assert_close(together[part], whole[part], rtol=tolerance, atol=tolerance, msg=part)
    assert all(torch.equal(first[part], second[part]) for part in whole if part != "given"), "workers stay alike"


def test_stacked_replicas_are_normalised_over_two_workers_as_one_after_another(workers_left):
    values = make_data()["features"]
    for number in range(2):
        network = make_network(nn.BatchNorm1d(3), values.dtype)
        train_once(network, values, Workers())
        loss = network(values.unsqueeze(2) * (1 + number)).square().mean()
        gradients = torch.autograd.grad(loss, list(network.parameters()))
        for (name, _), gradient in zip(network.named_parameters(), gradients, strict=True):
            averaged = sum(left["stacked"][name][number] for left in workers_left) / WORKERS
            torch.testing.assert_close(averaged, gradient, rtol=1e-12, atol=1e-12)
        for name, buffer in network.named_buffers():
            torch.testing.assert_close(workers_left[0]["stacked"][name][number], buffer)


@pytest.mark.parametrize("tracked", [True, False])
def test_stacked_replicas_are_normalised_on_one_worker_as_one_after_another(tracked):
    replicas, values = [SharedBatchNorm(3), SharedBatchNorm(3)], torch.randn(2, 6, 3) + 2
    weights, buffers = torch.func.stack_module_state(replicas)

    def give(weights, buffers, values):
        return torch.func.functional_call(replicas[0], (weights, buffers), (values, tracked))

    at_once = torch.func.vmap(give)(weights, buffers, values)
    one_by_one = [replica(rows, tracked) for replica, rows in zip(replicas, values, strict=True)]
    torch.testing.assert_close(at_once, torch.stack(one_by_one))
    torch.testing.assert_close(buffers["running_var"], torch.stack([replica.running_var for replica in replicas]))


def test_on_one_worker_it_is_torchs_layer_bit_for_bit():
    for shape, layer in (
        ((6, 4), nn.BatchNorm1d(4)),
        ((6, 4, 5), nn.BatchNorm1d(4)),
        ((6, 4, 5, 2), nn.BatchNorm2d(4)),
    ):
        ours, values = SharedBatchNorm(4), torch.randn(shape) * 3 + 1
        assert torch.equal(ours(values), layer(values)), shape
        assert ours.state_dict().keys() == layer.state_dict().keys()
        assert all(torch.equal(ours.state_dict()[name], buffer) for name, buffer in layer.state_dict().items())
        assert torch.equal(ours.eval()(values), layer.eval()(values))


def test_an_untracked_batch_is_normalised_all_the_same():
    ours, values = SharedBatchNorm(4), torch.randn(6, 4) * 3 + 1
    before = copy.deepcopy(ours.state_dict())
    given = ours(values, tracked=False)
    assert all(torch.equal(ours.state_dict()[name], buffer) for name, buffer in before.items())
    assert torch.equal(given, nn.BatchNorm1d(4)(values))


# One feature; the source is 0 and 2 (mean 1, variance 1), the target 10 and 14 (mean 12, variance 4), and all of it has
# mean 6.5 and variance (6.5² + 4.5² + 3.5² + 7.5²) / 4 = 32.75.
SOURCE, TARGET = torch.tensor([[0.0], [2.0]]), torch.tensor([[10.0], [14.0]])
WHOLE = [(value - 6.5) / math.sqrt(32.75) for value in (0, 2, 10, 14)]
# Running statistics start from mean 0 and variance 1 and go a tenth of the way to each batch's mean and unbiased
# variance: 2 of the source, 8 of the target, 32.75 · 4/3 of all.
RUNNING = {
    "BN1": (0.1 * 6.5, 0.9 + 0.1 * 32.75 * 4 / 3),
    "BN2": (0.1 * 1, 0.9 + 0.1 * 2),
    "BN3": (0.9 * 0.1 * 1 + 0.1 * 12, 0.9 * (0.9 + 0.1 * 2) + 0.1 * 8),
}


@pytest.mark.parametrize(
    ("feed", "emotion", "language"),
    [("BN1", WHOLE[:2], WHOLE), ("BN2", [-1, 1], WHOLE), ("BN3", [-1, 1], [-1, 1, -1, 1])],
)
def test_the_heads_are_fed_by_the_statistics_of_each_way(feed, emotion, language):
    bn = SharedBatchNorm(1)
    fed = normalise(bn, SOURCE, TARGET, feed)
    assert fed.emotion.flatten().tolist() == pytest.approx(emotion, abs=1e-5)
    assert torch.cat([fed.source, fed.target]).flatten().tolist() == pytest.approx(language, abs=1e-5)
    assert (bn.running_mean.item(), bn.running_var.item()) == pytest.approx(RUNNING[feed], rel=1e-6)


def test_in_evaluation_all_ways_are_one():
    bn = SharedBatchNorm(1)
    bn(torch.cat([SOURCE, TARGET]))
    bn.eval()
    expected = [bn(SOURCE), bn(SOURCE), bn(TARGET)]
    for feed in ("BN1", "BN2", "BN3"):
        assert all(torch.equal(*pair) for pair in zip(normalise(bn, SOURCE, TARGET, feed), expected, strict=True))


def test_an_unknown_way_is_an_error_that_names_the_known_ones():
    with pytest.raises(InputError, match="unknown feed of both domains 'BN4'; known, nearest first: BN"):
        normalise(SharedBatchNorm(1), SOURCE, TARGET, "BN4")
