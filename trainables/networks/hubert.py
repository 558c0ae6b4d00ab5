"""HuBERT, the Transformer utterance encoder of pseudo_label.txt (3.2.1 and Table 1; Hsu et al., 2021): torchaudio's.

HuBERT Base is a convolutional encoder of the waveform (a frame every 20 ms) and 12 Transformer layers; the paper's was
trained on the 960 hours of LibriSpeech. It gives 768 features a frame and says only that they become 768 of the
utterance: here the last layer's mean over time. It does not say either whether the pre-trained weights are trained on
or kept (``trainable``).

What is padding is left out everywhere: of the group normalisation in the first convolution, whose mean and variance
are over all of the time (and which, in torchaudio, counts padding), of attention, and of the mean.

Dropout of 0.1 (torchaudio's and HuBERT Base's own) works on the projected frames and in the Transformer's residual
connections, with masks that do not depend on the number of workers. Attention's own dropout, whose masks would, and the
dropping of whole layers, which would drop the same ones for every utterance of a step, are left out.
"""

from __future__ import annotations

from http.client import HTTPException
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu

from data_prep.errors import InputError, unknown
from trainables.networks.dense import SharedDropout
from trainables.networks.masking import mean_over_time, prepare, valid
from trainables.networks.weights import fit, load_weights

FEATURES = {"base": 768, "tiny": 32}

_DROPOUT = 0.1
_LEAST = 400  # samples of 25 ms, of which the convolutions make one frame

# Both take steps of 320 samples. The tiny one is for smoke tests; it hears nothing that is worth hearing.
_CONVOLUTIONS = ((10, 5), *[(3, 2)] * 4, *[(2, 2)] * 2)  # filter and stride
_SIZES = {
    "base": {"channels": 512, "encoder_num_layers": 12, "encoder_num_heads": 12, "encoder_ff_interm_features": 3072},
    "tiny": {"channels": 16, "encoder_num_layers": 2, "encoder_num_heads": 2, "encoder_ff_interm_features": 64},
}


class Hubert(nn.Module):
    """From padded waveforms at 16 kHz (batch, samples, 1) to features of the utterances, (batch, 768).

    An utterance of fewer than 400 samples (25 ms) is followed by zeros up to there.
    """

    def __init__(self, weights: str | Path, *, size: str = "base", trainable: bool = True) -> None:
        """Builds the network.

        Args:
            weights: ``random``; ``hub``, which downloads torchaudio's HUBERT_BASE; or the path of a state dictionary,
                torchaudio's (``hubert_fairseq_base_ls960.pth``) or that of Hugging Face's ``hubert-base-ls960``
                (``pytorch_model.bin``).
            size: ``base``, or ``tiny`` with 32 features.
            trainable: whether its weights can be moved. If not, none requires a gradient, dropout is off, and it
                belongs into no player's moves.

        Raises:
            InputError: the size is unknown, or the weights cannot be downloaded or read, or do not fit.
        """
        super().__init__()
        if size not in _SIZES:
            raise unknown("size of HuBERT", size, _SIZES)
        self.trainable = trainable
        self.hubert = _build(size)
        if weights == "hub":
            fit(self.hubert, _download(), "torchaudio's HUBERT_BASE", f"HuBERT {size}")
        elif weights != "random":
            load_weights(self.hubert, Path(weights), f"HuBERT {size}", _rename)
        self.requires_grad_(trainable)

    def train(self, mode: bool = True) -> Hubert:
        """Sets whether dropout works, which it never does where nothing is trained."""
        return super().train(mode and self.trainable)

    def forward(self, features: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Encodes a batch; ``lengths`` (batch,) are the utterances' samples, all of them if ``None``."""
        features, lengths = prepare(features, lengths, least=_LEAST, dimensions=1, feature="waveform")
        values = features.transpose(1, 2)  # (batch, channels, frames)
        for layer in self.hubert.feature_extractor.conv_layers:
            values = layer.conv(values)
            lengths = (lengths - layer.kernel_size) // layer.stride + 1
            if layer.layer_norm is not None:
                values = _normalise(layer.layer_norm, values, lengths)
            values = gelu(values)
        return mean_over_time(self.hubert.encoder(values.transpose(1, 2), lengths), lengths)


def _build(size: str) -> Any:
    # Here, because importing torchaudio takes a second and most methods do without it.
    from torchaudio.models import wav2vec2_model

    settings: dict[str, Any] = dict(_SIZES[size])
    channels = settings.pop("channels")
    network = wav2vec2_model(
        extractor_mode="group_norm",
        extractor_conv_layer_config=[(channels, *convolution) for convolution in _CONVOLUTIONS],
        extractor_conv_bias=False,
        encoder_embed_dim=FEATURES[size],
        encoder_projection_dropout=_DROPOUT,
        encoder_pos_conv_kernel=128,
        encoder_pos_conv_groups=16,
        encoder_attention_dropout=0.0,
        encoder_ff_interm_dropout=0.0,
        encoder_dropout=_DROPOUT,
        encoder_layer_norm_first=False,
        encoder_layer_drop=-1.0,  # 0 would still drop a layer where the number drawn is exactly 0
        aux_num_out=None,
        **settings,
    )
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.Dropout):
                setattr(module, name, SharedDropout(child.p))
    return network


def _normalise(norm: nn.GroupNorm, values: Tensor, lengths: Tensor) -> Tensor:
    """Group normalisation, each channel a group, by the mean and variance of an utterance's own frames."""
    own = valid(lengths, values.shape[2]).unsqueeze(1)
    frames = lengths[:, None, None]
    centred = values - (values * own).sum(dim=2, keepdim=True) / frames
    variance = (centred.square() * own).sum(dim=2, keepdim=True) / frames
    return centred * torch.rsqrt(variance + norm.eps) * norm.weight[:, None] + norm.bias[:, None]


def _download() -> dict[str, Tensor]:
    from torchaudio.pipelines import HUBERT_BASE

    try:
        return HUBERT_BASE.get_model(dl_kwargs={"progress": False}).state_dict()
    except (
        OSError,
        RuntimeError,
        HTTPException,
    ) as error:  # no network, no room, or a file that is not what it should be
        raise InputError(
            f"weights 'hub': torchaudio's HUBERT_BASE could not be downloaded ({error}); download "
            "hubert_fairseq_base_ls960.pth where there is a network and give weights its path, or 'random'"
        ) from None


def _rename(name: str) -> str | None:
    """The name in torchaudio of a weight that may be named as in Hugging Face's HubertModel."""
    name = name.removeprefix("hubert.")
    if name == "masked_spec_embed":  # stands for masked frames, of which there are none here
        return None
    if name.startswith("feature_projection."):
        name = f"encoder.{name}"
    elif name.startswith("encoder.") and not name.startswith(("encoder.feature_projection.", "encoder.transformer.")):
        name = name.replace("encoder.", "encoder.transformer.", 1)
    # The two parts of a weight under weight normalisation, as PyTorch named them before version 2.
    for old, new in (("weight_g", "original0"), ("weight_v", "original1")):
        name = name.replace(f"pos_conv_embed.conv.{old}", f"pos_conv_embed.conv.parametrizations.weight.{new}")
    return name
