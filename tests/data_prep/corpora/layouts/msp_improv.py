"""A tiny MSP-IMPROV: two utterances with a label and their listeners, one of them twice, a missing rating, audio without a label."""

LABELS = "Evalution.txt"


def build(folder):
    folder.text(
        LABELS,
        "UTD-IMPROV-S01A-F01-P-FM01.avi; N; A:2.500000; V:3.000000; D:NaN ; N:4.000000;",
        "WORKER00000001; Neutral; Neutral,Concerned; A:2.000000; V:3.000000; D:NaN; N:4.000000;",
        "WORKER00000001; Neutral; Neutral,Concerned; A:2.000000; V:3.000000; D:NaN; N:4.000000;",
        "WORKER00000003; Neutral; Neutral; A:3.000000; V:3.000000; D:NaN; N:4.000000;",
        "",
        "UTD-IMPROV-S01A-M01-T-FM01.avi; A; A:4.500000; V:2.000000; D:3.000000 ; N:4.000000;",
        "WORKER00000002; Angry; Other (fed up; tired); A:5.000000; V:2.000000; D:3.000000; N:4.000000;",
        "",
    )
    folder.audio("session1/S01A/P/MSP-IMPROV-S01A-F01-P-FM01.wav", "session1/S01A/T/MSP-IMPROV-S01A-M01-T-FM01.WAV")
    folder.audio("session1/S01A/P/MSP-IMPROV-S01A-F01-P-FM01.avi", "session1/S01A/P/MSP-IMPROV-S01A-F01-P-FM02.wav")
    return folder.path


def mislabel(folder):
    folder.replace(LABELS, "; A; A:", "; Angray; A:")
    return f"{LABELS}:6"
