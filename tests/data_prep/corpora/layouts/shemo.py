"""A tiny ShEMO: its two folders, and the table that newer copies have."""


def build(folder):
    folder.audio("female/F03F02.wav", "female/F03S01.wav", "male/M56W01.WAV", "male/._M56W01.wav")
    folder.text(
        "shemo.json",
        "{",
        '    "F03F02": {"speaker_id": "F03", "gender": "female", "emotion": "fearful", "transcript": "نه"},',
        '    "F03S01": {"speaker_id": "F03", "gender": "female", "emotion": "sad", "transcript": "آه"},',
        '    "M56W01": {"speaker_id": "M56", "gender": "male", "emotion": "surprised", "transcript": "چی؟"}',
        "}",
    )
    return folder.path


def mislabel(folder):
    folder.audio("female/F03X01.wav")
    return "female/F03X01.wav"
