"""Music: audio, features, beats, slices and the percussion synthesiser."""
