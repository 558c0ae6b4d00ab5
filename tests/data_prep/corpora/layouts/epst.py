"""A tiny EPST: two sessions with what is between the utterances, and the release's documents."""

TRANSCRIPT = "transcr/cc_001.txt"


def build(folder):
    folder.text(
        TRANSCRIPT,
        "0.00 101.50 A: [MISC]",
        "101.50 118.02 A: (laughs)",
        "118.02 120.38 A: Emotion category neutral",
        "120.38 122.20 A: neutral, Two thousand four",
        "122.20 125.90 A:  [MISC]",
        "",
        "125.90 127.45 A: hot anger, Six hundred one",
    )
    folder.text("transcr/mm_001.txt", "9.50 11 A: shame, March seventeenth", "12.25 14.00 A: cold-anger, May third")
    folder.audio("speech/cc_001.sph", "speech/mm_001.SPH", "speech/._cc_001.sph")
    folder.text("doc/continuum_cards_script_A.txt", "neutral, Two thousand four")
    folder.text(
        "doc/demographics.html",
        "<html><body><p>The actors</p><table>",
        "<tr><th>Speaker</th><th>Sex</th><th>Age</th></tr>",
        "<TR><td>CC</td>",
        "<td>M</td><td>27</td></tr>",
        "<tr><td>mm</td><td>Female&nbsp;</td><td>24</td></tr>",
        "</table></body></html>",
    )
    return folder.path


def mislabel(folder):
    folder.replace(TRANSCRIPT, "A: hot anger,", "A: hot angray,")
    return f"{TRANSCRIPT}:7"
