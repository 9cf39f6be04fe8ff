import pytest

from skeleton2stage.view.playback import Playback


def playing(**settings):
    playback = Playback(duration_s=2.0, fps=30, **settings)
    playback.play(100.0)
    return playback


def test_it_moves_with_the_clock_at_its_speed():
    playback = playing()
    playback.tick(100.5)
    assert playback.frame == 15
    playback.speed = 0.5
    playback.tick(101.5)
    assert playback.frame == 30


def test_a_pause_holds_and_playing_goes_on_from_there():
    playback = playing()
    playback.tick(100.5)
    playback.pause()
    assert not playback.tick(105.0) and playback.frame == 15
    playback.play(110.0)
    playback.tick(110.1)
    assert playback.frame == 18


def test_at_the_end_it_begins_again_or_stays():
    looping = playing()
    assert looping.tick(102.1) and looping.playing and looping.time_s == pytest.approx(0.1)
    once = playing(loop=False)
    assert not once.tick(102.1) and not once.playing and once.frame == 59
    once.play(200.0)
    assert once.frame == 0


def test_seeking_and_stepping_stay_within_the_dance():
    playback = playing()
    playback.seek(1.0)
    playback.step(1)
    assert playback.frame == 31 and not playback.playing
    playback.step(-100)
    assert playback.frame == 0
    playback.seek(99.0)
    assert playback.frame == 59


def test_every_frame_is_found_again_by_its_time():
    playback = Playback(duration_s=20.0, fps=30)
    for frame in range(600):
        playback.seek(frame / 30)
        assert playback.frame == frame


def test_seeking_shows_the_nearest_frame():
    playback = playing()
    for time_s, frame in ((0.349, 10), (0.351, 11), (0.33, 10), (0.34, 10), (-3, 0)):
        playback.seek(time_s)
        assert playback.frame == frame


def test_speed_changes_by_places_and_ends_at_the_last():
    playback = playing()
    playback.change_speed(1)
    assert playback.speed == 1.5
    for _ in range(9):
        playback.change_speed(-1)
    assert playback.speed == 0.1


def test_a_dance_of_one_frame():
    playback = Playback(duration_s=1 / 30, fps=30)
    playback.play(0.0)
    playback.tick(0.5)
    assert (playback.n_frames, playback.frame) == (1, 0)
