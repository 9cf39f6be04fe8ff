"""The synthesiser: hits where the groove says, the same samples twice, and beats a tracker can hear."""

import librosa
import numpy as np
import pytest

from skeleton2stage.errors import UserError
from skeleton2stage.music import percussion
from skeleton2stage.music.audio import read_audio
from skeleton2stage.music.beats import music_beats
from skeleton2stage.music.groove import Groove, steady_groove
from skeleton2stage.music.percussion import SAMPLE_RATE_HZ, Pattern, find_pattern, hit_times, swing_phase, synthesise
from skeleton2stage.music.tracks import Track, write_wavs

GROOVE = Groove((0.0, 0.5, 1.0, 1.5, 2.0), (1.0, 0.5, 1.0, 0.5, 1.0), pattern="rock")


def test_same_seed_same_samples_other_seed_other_samples():
    first, again = synthesise(GROOVE, 2.0, seed=5), synthesise(GROOVE, 2.0, seed=5)
    assert first.tobytes() == again.tobytes()
    assert np.abs(first - synthesise(GROOVE, 2.0, seed=6)).max() > 0.05


@pytest.mark.parametrize("rate_hz", [15360, 30720, 48000])
def test_length_type_and_level(rate_hz):
    audio = synthesise(GROOVE, 2.5, sample_rate_hz=rate_hz)
    assert audio.shape == (int(2.5 * rate_hz),) and audio.dtype == np.float32
    assert np.abs(audio).max() == pytest.approx(0.9, abs=1e-6)


def test_a_pattern_is_read_as_written():
    pattern = Pattern("test", 3, (("kick", "x...|....|..o."), ("hat", "....|.x..|....")))
    assert pattern.n_beats == 3
    assert pattern.hits() == [(0, "kick", 1.0), (10, "kick", 0.5), (5, "hat", 1.0)]


def test_hits_fall_between_their_beats_at_the_beats_loudness():
    pattern = Pattern("test", 4, (("kick", "x...|..o.|....|...."),))
    groove = Groove((1.0, 2.0, 4.0, 5.0, 6.0), (1.0, 0.5, 1.0, 1.0, 1.0))
    # The second beat lasts from 2 to 4 s, so its middle is at 3 s; a soft hit of a half-loud beat.
    assert hit_times(groove, pattern) == [(1.0, "kick", 1.0), (3.0, "kick", 0.25)]


def test_the_pattern_starts_on_the_downbeat():
    pattern = Pattern("test", 3, (("kick", "x...|....|...."),))
    groove = Groove((0.0, 1.0, 2.0, 3.0, 4.0, 5.0), (1.0,) * 6, meter=3, downbeat=1)
    assert [time_s for time_s, _, _ in hit_times(groove, pattern)] == [1.0, 4.0]


def test_swing_delays_the_half_and_keeps_the_beats():
    assert [swing_phase(phase, 0.0) for phase in (0.0, 0.25, 0.5, 0.75)] == [0.0, 0.25, 0.5, 0.75]
    assert swing_phase(0.5, 1 / 3) == pytest.approx(2 / 3)  # a triplet's last
    assert swing_phase(0.25, 1 / 3) == pytest.approx(1 / 3)
    assert swing_phase(0.0, 1 / 3) == 0.0 and swing_phase(0.75, 1 / 3) == pytest.approx(5 / 6)


@pytest.mark.parametrize("pattern", [find_pattern(name, 4) for name in percussion.pattern_names(4)]
                         + [find_pattern(name, 3) for name in percussion.pattern_names(3)], ids=lambda p: p.name)
def test_patterns_are_whole_bars_with_a_broad_sound_on_every_beat(pattern):
    lengths = {len(steps.replace("|", "")) for _, steps in pattern.voices}
    assert lengths == {pattern.n_beats * 4} and pattern.n_beats % pattern.meter == 0
    broad = {step for step, voice, _ in pattern.hits() if voice in ("kick", "snare")}
    assert broad == set(range(0, pattern.n_beats * 4, 4))


def test_the_salsa_has_its_clave():
    clave = [step for step, voice, _ in find_pattern("salsa", 4).hits() if voice == "clave"]
    assert clave == [0, 6, 12, 20, 24]  # 3-2 son clave in sixteenths


def test_unknown_patterns_and_wrong_meters_are_refused():
    with pytest.raises(UserError, match="choose one of house, rock, salsa, slow_waltz, waltz"):
        find_pattern("polka", 4)
    with pytest.raises(UserError, match="'waltz' has 3 beats in a bar, the groove 4"):
        synthesise(steady_groove(100, 2.0, pattern="waltz"), 2.0)


def test_seeds_play_different_patterns_of_the_meter():
    kinds = {np.argmax(np.abs(synthesise(steady_groove(100, 3.0), 3.0, seed))) for seed in range(8)}
    assert len(kinds) > 1
    assert len(synthesise(steady_groove(100, 3.0, meter=3), 3.0)) == 3 * SAMPLE_RATE_HZ


def band_share(sound, low_hz, high_hz):
    power = np.abs(np.fft.rfft(sound)) ** 2
    hz = np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE_HZ)
    return power[(hz >= low_hz) & (hz < high_hz)].sum() / power.sum()


@pytest.mark.parametrize(
    ("voice", "band_hz", "share"),
    [(percussion.kick, (0, 300), 0.8), (percussion.hat, (5900, 15360), 0.999), (percussion.clave, (1500, 3500), 0.9),
     (percussion.cowbell, (400, 3000), 0.95)],
)
def test_voices_sound_in_their_bands_and_die_away(voice, band_hz, share):
    rng = np.random.default_rng(0)
    sound = voice(percussion.draw_kit(rng), rng, SAMPLE_RATE_HZ)
    assert band_share(sound, *band_hz) > share
    assert np.abs(sound[-len(sound) // 10 :]).max() < 0.05 * np.abs(sound).max()


def test_a_snare_spreads_over_all_bands():
    rng = np.random.default_rng(0)
    sound = percussion.snare(percussion.draw_kit(rng), rng, SAMPLE_RATE_HZ)
    assert all(band_share(sound, low, low + 3000) > 0.05 for low in range(0, 15000, 3000))


def test_the_loudest_sample_follows_a_beat():
    audio = synthesise(Groove((0.4, 1.0, 1.6, 2.2), (0.6, 0.6, 1.0, 0.6), pattern="house"), 2.2)
    assert 1.6 <= np.argmax(np.abs(audio)) / SAMPLE_RATE_HZ < 1.65


@pytest.mark.parametrize(
    ("bpm", "meter", "pattern", "swing"),
    [(84, 4, "salsa", 0.0), (96, 3, "waltz", 0.0), (112, 4, "rock", 1 / 3), (128, 4, "house", 0.0)],
)
def test_beats_are_detected_where_the_groove_put_them(bpm, meter, pattern, swing):
    groove = steady_groove(bpm, 8.0, meter, swing, phase_s=0.2, pattern=pattern)
    beats = music_beats(synthesise(groove, 8.0, seed=1), SAMPLE_RATE_HZ)[:-1]  # the tracker's last is a guess
    truth = 60 * np.array(groove.beats_s)
    assert len(truth) - 2 <= len(beats) < len(truth)
    # The envelope itself is about one frame late.
    assert np.abs(beats[:, None] - truth).min(axis=1).max() < 2.5


@pytest.mark.parametrize(
    ("bpm", "pattern", "swing"),
    [(80, "rock", 0.0), (90, "house", 1 / 3), (100, "salsa", 0.0), (110, "rock", 1 / 3), (120, "house", 0.0),
     (130, "salsa", 1 / 3)],
)
def test_a_beat_tracker_finds_the_tempo_of_the_wav(tmp_path, bpm, pattern, swing):
    track = Track("steady", steady_groove(bpm, 10.0, 4, swing, pattern=pattern), 10.0, seed=bpm)
    audio, rate_hz = read_audio(write_wavs([track], tmp_path)[0])
    tempo_bpm, _ = librosa.beat.beat_track(y=audio, sr=rate_hz)
    assert tempo_bpm.item() == pytest.approx(bpm, rel=0.04)


def beat_strengths(groove, audio):
    """Return the onset strength at each beat, the largest within 50 ms of it."""
    envelope = librosa.onset.onset_strength(y=audio, sr=SAMPLE_RATE_HZ)
    frames = np.round(60 * np.array(groove.beats_s)).astype(int)
    return np.array([envelope[max(0, frame - 3) : frame + 4].max() for frame in frames])


@pytest.mark.parametrize("pattern", ["waltz", "slow_waltz"])
@pytest.mark.parametrize("seed", range(2))
def test_a_waltz_is_accented_on_every_third_beat(pattern, seed):
    groove = steady_groove(120, 10.0, 3, pattern=pattern)
    # The first bar is left out: an onset at the very start has nothing before it.
    bars = beat_strengths(groove, synthesise(groove, 10.0, seed))[3:18].reshape(5, 3)
    assert (bars[:, 0] > 1.15 * bars[:, 1:].max(axis=1)).all()
    strengths = bars.flatten()
    by_lag = [np.corrcoef(strengths[:-lag], strengths[lag:])[0, 1] for lag in (1, 2, 3, 4)]
    assert np.argmax(by_lag) == 2 and by_lag[2] > 0.9


def band(audio, low_hz, high_hz):
    spectrum = np.fft.rfft(audio)
    hz = np.fft.rfftfreq(len(audio), 1 / SAMPLE_RATE_HZ)
    return np.fft.irfft(np.where((hz >= low_hz) & (hz < high_hz), spectrum, 0), len(audio))


@pytest.mark.parametrize("swing", [0.0, 0.2, 1 / 3, 0.5])
def test_swing_delays_the_off_beats_that_are_heard(swing):
    groove = steady_groove(96, 8.0, 4, swing, pattern="house")  # its hats are off the beat alone
    hats = np.abs(band(synthesise(groove, 8.0, seed=3), 6500, 15360))
    phases = []
    for start_s, stop_s in zip(groove.beats_s[:-1], groove.beats_s[1:], strict=True):
        middle, stop = (int(SAMPLE_RATE_HZ * (start_s + part * (stop_s - start_s))) for part in (0.4, 0.95))
        onset = middle + np.argmax(hats[middle:stop] > 0.3 * hats[middle:stop].max())
        phases.append((onset / SAMPLE_RATE_HZ - start_s) / (stop_s - start_s))
    np.testing.assert_allclose(phases, 0.5 + swing / 2, atol=0.01)  # 0.01 of a beat: 6 ms


def test_drums_are_heard_on_their_own_beats():
    groove = steady_groove(100, 9.6, pattern="rock")
    audio = synthesise(groove, 9.6, seed=1)

    def loudness(low_hz, high_hz):
        """Return power [bars, 4] from 30 to 100 ms after each beat, when the click of the kick is over."""
        power = band(audio, low_hz, high_hz) ** 2
        spans = ((SAMPLE_RATE_HZ * (beat_s + np.array([0.03, 0.1]))).astype(int) for beat_s in groove.beats_s)
        return np.array([power[start:stop].mean() for start, stop in spans]).reshape(-1, 4)

    kick, snare = loudness(0, 120), loudness(1000, 5000)
    assert (kick[:, [0, 2]].min(axis=1) > 10 * kick[:, [1, 3]].max(axis=1)).all()
    assert (snare[:, [1, 3]].min(axis=1) > 10 * snare[:, [0, 2]].max(axis=1)).all()
