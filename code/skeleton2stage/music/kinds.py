"""The kinds of music features that a dance model can be trained on.

baseline: EDGE's 35, of each window by itself. song_beats: the same, but the beats are those of all the audio, as beat
alignment counts them; a tracker that hears 5 s at a time puts them elsewhere from window to window. jukebox: EDGE's
4800.
"""

from skeleton2stage.music.columns import N_FEATURES

BASELINE = "baseline"
SONG_BEATS = "song_beats"
JUKEBOX = "jukebox"
# Kinds, and how many features a frame has.
WIDTHS = {BASELINE: N_FEATURES, SONG_BEATS: N_FEATURES, JUKEBOX: 4800}
KINDS = tuple(WIDTHS)
