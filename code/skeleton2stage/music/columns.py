"""Which columns of the 35 baseline music features mean what (kinds baseline and song_beats).

Apart from what extracts them, so that reading a column needs no audio library.
"""

ONSET = slice(0, 1)
MFCC = slice(1, 21)
CHROMA = slice(21, 33)
PEAK = slice(33, 34)
BEAT = slice(34, 35)
N_FEATURES = 35
