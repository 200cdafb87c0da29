"""The timing command goes over every image, hole and entry; how long that takes is no test."""

import json

from tests.methods import timing
from tests.sampling import toy


def test_every_entry_takes_every_image_under_every_hole(tmp_path, capsys):
    with toy.inside(toy.make(tmp_path)):
        capsys.readouterr()
        timing.main(["classical/mean", "classical/telea"])
        told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [(one["holes"], one["entry"]) for one in told] == [
            (holes, entry) for holes in ("20-40", "40-60", "random") for entry in ("classical/mean", "classical/telea")
        ]
        assert {(one["n"], one["size"]) for one in told} == {(toy.IMAGES, toy.SIZE)}
        assert all(one["mean_s"] > 0 for one in told)
        assert timing.trained({"methods": {"classical": {}, "external": {}, "dsi": {}}}) == ["classical"]
        assert "dsi is left out: " in capsys.readouterr().err
