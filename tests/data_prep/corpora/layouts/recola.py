"""A tiny RECOLA: two participants with three raters, and the columns' names with their trailing blanks."""

FRAMES = "RECOLA-Annotation/emotional_behaviour/{}/P{}.csv"
HEADER = "time;FM1 ;FM2 ;FF1"


def build(folder):
    for participant in (16, 65):
        for dimension in ("arousal", "valence"):
            frames = [f"{0.04 * frame:.2f};0.1;-0.2;{frame / 100:.2f}" for frame in range(51)]
            folder.text(FRAMES.format(dimension, participant), HEADER, *frames)
        folder.audio(f"RECOLA-Annotation/social_behaviour/rapport/._P{participant}.csv")
        folder.audio(f"RECOLA-Audio-features/P{participant}.arff")
    folder.text("RECOLA-Audio_timings/P16.csv", "start;stop", "0.08;0.2", "1;1.5")
    folder.text("RECOLA-Audio_timings/P65.csv", "start;stop", "1.92;2.5", "2.5;3")
    folder.audio("RECOLA-Audio-recordings/P16.wav", "RECOLA-Audio-recordings/P65.WAV")
    folder.text(
        "RECOLA-Metadata/recola_user_info.csv", "Group_id;User;Sex;Age", "8;16;0;20", "30;65;1;22", ";;;", "n = 2;;;"
    )
    return folder.path
