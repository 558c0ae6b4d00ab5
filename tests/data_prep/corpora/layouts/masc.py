"""A tiny MASC, with a list of one's own."""

LIST = "masc.csv"


def build(folder):
    folder.text(
        LIST,
        "audio,speaker,gender,emotion,text,utterance_id",
        "data/a/one.wav,f01,female,elation,他来了,f01-elation-1",
        '"data/b/two, again.WAV",m02,,panic,他来了,',
        "",
        "data/b/three.wav,m02,male,neutral,他来了,",
    )
    folder.audio("data/a/one.wav", "data/b/two, again.WAV", "data/b/three.wav")
    return folder.path


def mislabel(folder):
    folder.replace(LIST, ",panic,", ",painc,")
    return f"{LIST}:3"
