"""The synthesiser: hits where the groove says, the same samples twice, and beats a tracker can hear."""

import numpy as np
import pytest

from skeleton2stage.errors import UserError
from skeleton2stage.music import percussion
from skeleton2stage.music.beats import music_beats
from skeleton2stage.music.groove import Groove, steady_groove
from skeleton2stage.music.percussion import SAMPLE_RATE_HZ, Pattern, find_pattern, hit_times, swing_phase, synthesise

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
