"""A tiny corpus of one's own."""


def build(folder):
    folder.audio("a/one.wav", "a/two.wav")
    return folder.text(
        "mine.csv",
        "speaker,audio,emotion,gender,language,start,end",
        "ana,a/one.wav,happy,female,hr,,",
        '"ivo, the younger",a/two.wav,,male,hr,0.5,1.5',
    )


def mislabel(folder):
    folder.replace("mine.csv", "happy", "hapy")
    return "mine.csv:2"
