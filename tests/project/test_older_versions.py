"""Files of earlier versions: an old params.yaml gets a line that names the new key, stored results are read."""

import json
from pathlib import Path

import pytest

from stages.contract import UserError
from stages.project import params
from stages.sampling import store
from stages.sampling.store import SampleStore
from tests.sampling import toy


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("draws: {box: {masks: box, samples: 1}}", "key draws is called testsets now"),
        (
            "protocols: {box: {draw: box, composite: true}}",
            "key protocols.box.draw is called protocols.box.testset now",
        ),
        ("masks: {box: {law: box, side: 0.5}}", "key masks.box.law is called masks.box.generator now"),
    ],
)
def test_a_renamed_key_is_told_with_its_new_name(tmp_path, text, line):
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=line) as told:
        params.read(path)
    assert "plurifill preset" in str(told.value) and "\n" not in str(told.value)


def test_samples_are_read_whichever_version_described_them(tmp_path):
    project = toy.make(tmp_path)
    with toy.inside(project):
        from stages import benchmark, sample

        sample.main("classical", device="cpu")
        benchmark.main("classical", device="cpu")
        now = Path("reports/scores/classical.json").read_bytes()
        for place in store.finished(Path("data/samples")):
            told = json.loads((place / "store.json").read_bytes())
            told |= {"draw": told.pop("testset"), "row": told.pop("entry")}
            (place / "draw.json").write_text(json.dumps(told))
            (place / "store.json").unlink()
        assert SampleStore.open(Path("data/samples/classical/few/telea")).description["entry"] == "classical/telea"
        benchmark.main("classical", device="cpu")
        assert Path("reports/scores/classical.json").read_bytes() == now
