"""A tiny TESS: the copy that holds every folder twice, with the name that lacks a letter."""

SPEECH = (
    "OAF_Pleasant_surprise/OAF_back_ps.wav",
    "OAF_neutral/OA_bite_neutral.wav",
    "YAF_angry/YAF_back_angry.WAV",
)
OUTER = "TESS Toronto emotional speech set data"


def build(folder):
    folder.audio(*(f"{OUTER}/{name}" for name in SPEECH), *(f"{OUTER}/{OUTER}/{name}" for name in SPEECH))
    folder.audio(f"{OUTER}/YAF_angry/._YAF_back_angry.wav")
    return folder.path


def mislabel(folder):
    folder.audio(f"{OUTER}/OAF_angry/OAF_back_angray.wav")
    return f"{OUTER}/OAF_angry/OAF_back_angray.wav"
