"""First weights from a file: a PyTorch state dictionary, checked before it is loaded."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from data_prep.errors import InputError

_NAMED = 3


def load_weights(
    network: nn.Module, path: Path, what: str, rename: Callable[[str], str | None] = lambda name: name
) -> None:
    """Loads the state dictionary in ``path`` into ``network``.

    The number of batches that a batch normalisation has seen is neither asked for nor loaded: nothing depends on it.

    Args:
        what: what the weights should be of, for the errors: ``BYOL-S with 1,024 features``.
        rename: from a name in the file to the network's; ``None`` for what is left aside.

    Raises:
        InputError: the file is missing or no state dictionary, or its names or shapes are not the network's.
    """
    state = _read(path, what)
    fit(network, {new: values for name, values in state.items() if (new := rename(name))}, str(path), what)


def fit(network: nn.Module, state: Mapping[str, Tensor], origin: str, what: str) -> None:
    """Loads a state dictionary that came from ``origin`` into ``network``.

    Raises:
        InputError: its names or shapes are not the network's; the first misfits are named.
    """
    given = {name: values for name, values in state.items() if not _counts(name)}
    wanted = {name: values for name, values in network.state_dict().items() if not _counts(name)}
    misfits = [f"{name} is missing" for name in wanted if name not in given]
    misfits += [f"{name} is not of it" for name in given if name not in wanted]
    misfits += [
        f"{name} has shape {tuple(given[name].shape)} instead of {tuple(values.shape)}"
        for name, values in wanted.items()
        if name in given and given[name].shape != values.shape
    ]
    if misfits:
        more = f"; and {len(misfits) - _NAMED} more" if len(misfits) > _NAMED else ""
        raise InputError(f"the weights in {origin} are not those of {what}: {'; '.join(misfits[:_NAMED])}{more}")
    network.load_state_dict(given, strict=False)


def _read(path: Path, what: str) -> Mapping[str, Tensor]:
    if not path.is_file():
        raise InputError(f"no file {path}; it should hold a state dictionary of {what}")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else "it ends early"
        raise InputError(f"{path} cannot be read as a state dictionary of {what}: {reason}") from None
    if not isinstance(state, Mapping) or not all(isinstance(values, Tensor) for values in state.values()):
        raise InputError(f"{path} holds no state dictionary, which maps names to tensors; wanted is that of {what}")
    return state


def _counts(name: str) -> bool:
    return name.endswith("num_batches_tracked")
