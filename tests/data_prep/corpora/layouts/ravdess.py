"""A tiny RAVDESS: the copy that holds every file twice, with a song, a video's sound and a stray file."""

SPEECH = ("Actor_01/03-01-05-01-02-01-01.wav", "Actor_02/03-01-01-01-01-01-02.WAV")


def build(folder):
    folder.audio(*SPEECH, *(f"audio_speech_actors_01-24/{name}" for name in SPEECH))
    folder.audio("Actor_01/03-02-05-01-02-01-01.wav", "Actor_01/01-01-05-01-02-01-01.wav", "Actor_05/holiday.wav")
    folder.audio("__MACOSX/Actor_01/._03-01-05-01-02-01-01.wav")
    return folder.path


def mislabel(folder):
    folder.audio("Actor_01/03-01-09-01-02-01-01.wav")
    return "Actor_01/03-01-09-01-02-01-01.wav"
