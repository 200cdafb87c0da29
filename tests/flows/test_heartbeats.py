"""How long a run has been silent: by one clock that nobody sets, from when it was first looked at."""

from uuid import uuid4

from flows.heartbeats import Silence

LIVING, DEAD = uuid4(), uuid4()


def test_silence_is_the_time_in_which_a_sign_does_not_change():
    silence = Silence()
    assert silence.lasts({LIVING: "old", DEAD: "old"}, 1000.0) == {LIVING: 0.0, DEAD: 0.0}  # however old the sign is
    assert silence.lasts({LIVING: "new", DEAD: "old"}, 1030.0) == {LIVING: 0.0, DEAD: 30.0}
    assert silence.lasts({LIVING: "new", DEAD: "old"}, 1060.0) == {LIVING: 30.0, DEAD: 60.0}
    assert silence.lasts({LIVING: "newer", DEAD: None}, 1090.0) == {LIVING: 0.0, DEAD: 0.0}


def test_a_run_that_was_not_asked_about_meanwhile_begins_anew():
    silence = Silence()
    silence.lasts({DEAD: "old"}, 0.0)
    assert silence.lasts({}, 10.0) == {}
    assert silence.lasts({DEAD: "old"}, 20.0) == {DEAD: 0.0}
