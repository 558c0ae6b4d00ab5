"""What a corpus was recorded with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Channel:
    """The room, the microphone and the recorder of a corpus.

    Attributes:
        sample_rate: Hz of the files.
        microphones: channels of the files, each with a response and a noise of its own.
        band: Hz, between which the microphone hears.
        slope: dB per octave of the microphone's response.
        ripple: dB, standard deviation of the microphone's response around its slope.
        noise: dB per octave of the background noise's slope (0 white, -3 pink, -6 brown).
        hum: Hz of the mains where it is heard, else 0.
        snr: dB from an ordinary utterance down to the background noise.
        reverberation: seconds in which the room's sound decays by 60 dB.
        reverberant: dB of the room's sound relative to the direct sound.
        level: dB of an ordinary utterance relative to full scale.
    """

    sample_rate: int = 16000
    microphones: int = 1
    band: tuple[float, float] = (60.0, 7600.0)
    slope: float = 0.0
    ripple: float = 0.0
    noise: float = -3.0
    hum: float = 0.0
    snr: float = 40.0
    reverberation: float = 0.2
    reverberant: float = -20.0
    level: float = -26.0
