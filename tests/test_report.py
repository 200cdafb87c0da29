"""`plurifill report`: complete alone, everything escaped, honest about what is missing, unlike cards refused."""

import json
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from stages import export, places, report, tables
from stages.contract import UserError
from stages.pages import plates
from stages.sweeps import pictures
from tests.pages.project import finished
from tests.sweeps.made import ALPHA, CARD, finish


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the finished project, to be changed at will; the working directory."""
    for name in ("PLURIFILL_DATA", "PLURIFILL_REPORTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(shutil.copytree(finished(), tmp_path / "project"))
    return Path()


def page() -> str:
    report.main()
    return (places.reports() / "index.html").read_text()


class Links(HTMLParser):
    """Every address in a page, and how deep its elements nest at the end."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.tags: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in {"src", "href", "srcset", "data", "action"}]


def test_the_page_asks_for_nothing_outside_of_itself(project: Path) -> None:
    html = page()
    assert all(address.startswith(("data:", "#", "pages/explorer.html")) for address in Links(html).addresses)
    assert not re.search(r"url\((?!#)|@import|https?://", html.replace("http://127.0.0.1:9", ""))


def test_every_section_shows_what_the_project_has(project: Path) -> None:
    html = page()
    for word in ("latent_codes", "classical/<wbr>telea", "token mask", "Known error", "latent_<wbr>codes/<wbr>prior"):
        assert word in html
    assert html.count("<svg") >= 4
    assert "No trained part" not in html and "Nothing is" not in html


def test_what_could_not_be_had_is_told_with_its_reason(project: Path) -> None:
    html = page()
    assert re.search(r"latent_codes \(lpips_vgg\).*absent: .*vgg16-397923af\.pth not in", html)
    assert "Trained without" in html


def test_every_plate_of_the_papers_is_there_or_tells_what_it_waits_for(project: Path) -> None:
    html = page()
    assert "000 F3: which tokens are read off" in html and html.count("alpha = 0.25") >= 1
    assert "003 F7: large holes: box" in html
    for name, _, needs, make in plates.NAMED:
        filled = f"{name}: " in html
        assert filled != (f'<th scope="row">{name}</th>' in html), name
        assert filled or needs in html
        assert make or not filled


@pytest.mark.parametrize(
    ("key", "values", "title"),
    [
        ("methods.latent_codes.encoder.kind", ["restrictive", "miracle"], "000 F14: what the encoder is given"),
        ("methods.latent_codes.inpaint.temperature", [0.5, 1.0], "sweep turned: latent_codes on box"),
    ],
)
def test_what_a_sweeps_points_drew_is_a_plate(project: Path, key: str, values: list, title: str) -> None:
    for value in values:
        finish(places.sweeps() / "turned", f"p={value}", {key: value}, 20.0)
        export.main("latent_codes", places.sweeps() / f"turned/p={value}.pictures/latent_codes", images=3, samples=1)
    html = page()
    plate = re.search(rf"<h3>{title}.*?</table>", html, re.DOTALL)
    assert plate and all(f"p={value}</th>" in plate[0] for value in values)
    assert plate[0].count("<img") == 3 * (1 + len(values) + 1)  # given, the points, original
    shown = re.findall(r'src="([^"]+)"[^>]*alt="[^"]*: p=', plate[0])
    assert len(shown) == 3 * len(values) and len(set(shown)) == 3  # both points have the same completions here
    one, *_ = pictures.read(places.sweeps())
    assert one.row == "latent_codes" and set(one.point.overrides) == {key}


def test_the_best_of_k_is_drawn_where_samples_differ_and_kept_for_all(project: Path) -> None:
    html = page()
    assert "The best of k" in html
    kept = tables.read(places.reports() / "best_of_k")
    assert set(kept["method"]) == {"latent_codes", "classical/mean", "classical/telea"}
    assert set(kept["protocol"]) == {"box"} and set(kept["k"]) == {1, 2, 3}
    summary = tables.read(places.scores() / "latent_codes.summary").query("protocol == 'box' and metric == 'psnr'")
    one = kept.query("method == 'latent_codes' and metric == 'psnr' and k == 1")
    assert one["estimate"].item() == pytest.approx(summary["estimate"].item())


def written() -> dict[str, bytes]:
    """Every file of the report by its name."""
    page()
    files = [path for path in places.reports().rglob("*") if path.is_file()]
    return {str(path): path.read_bytes() for path in files}


def test_one_result_the_same_bytes(project: Path) -> None:
    (places.reports() / "pages" / "left-over.webp").write_bytes(b"of an earlier report")
    first = written()
    assert first == written()
    assert not any("left-over" in name for name in first)
    assert len([name for name in first if name.endswith(".webp")]) == 8 + 1  # images, and their sheet


def test_the_explorer_tells_the_scores_that_were_written(project: Path) -> None:
    page()
    told = (places.reports() / "pages/protocol-box.js").read_text()
    figures = json.loads(told[told.index(",") + 1 : told.rindex(")")])
    long = tables.read(places.scores() / "latent_codes")
    own = long[(long["protocol"] == "box") & (long["metric"] == "psnr")]
    draw = (places.reports() / "pages/draw-box.js").read_text()
    keys = json.loads(draw[draw.index(",") + 1 : draw.rindex(")")])["keys"]
    label = [metric["label"] for metric in figures["metrics"]].index("PSNR")
    for key, value in zip(keys, figures["images"][label][0], strict=True):
        assert value == pytest.approx(own.loc[own["image"] == key, "value"].mean(), rel=1e-3)


def test_the_tables_agree_with_the_scores(project: Path) -> None:
    page()
    summary = tables.read(places.reports() / "tables")
    frames = [tables.read(places.scores() / f"{method}.summary") for method in ("classical", "latent_codes")]
    pd.testing.assert_frame_equal(summary, pd.concat(frames, ignore_index=True))
    lines = (places.reports() / "tables.md").read_text().splitlines()
    assert [line.split(" | ")[0] for line in lines if line.startswith("| ") and "PSNR" not in line][:3] == [
        "| latent_codes",
        "| classical/mean",
        "| classical/telea",
    ]


@pytest.mark.parametrize(
    "missing", ["reports/scores", "data/samples", "data/models", "data/shards", "data", "params.yaml"]
)
def test_a_page_without_some_part_says_so(project: Path, missing: str) -> None:
    path = project / missing
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    html = page()
    said = {"reports/scores": "Nothing is scored yet", "data/samples": "Nothing is sampled yet"}
    said |= {"data/models": "No trained part", "data/shards": "no such dataset", "params.yaml": "no params file"}
    assert said.get(missing, "Nothing is sampled yet") in html


def test_the_floor_alone_is_a_report(project: Path) -> None:
    for path in [*places.scores().glob("latent_codes*"), places.samples("latent_codes"), Path("data/models")]:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    html = page()
    assert "classical/<wbr>mean" in html and "2 ways of completing" in html


def test_unlike_cards_are_refused_by_the_field_that_differs(project: Path) -> None:
    path = places.scores() / "classical.cards.json"
    notes = json.loads(path.read_text())
    notes["cards"]["classical/mean"]["box"]["mask_hash"] = "other"
    path.write_text(json.dumps(notes))
    with pytest.raises(UserError, match="mask_hash"):
        report.main()


def test_scores_of_an_older_version_are_refused(project: Path) -> None:
    path = places.scores() / "classical.cards.json"
    notes = json.loads(path.read_text())
    del notes["format"]
    path.write_text(json.dumps(notes))
    with pytest.raises(UserError, match=r"classical\.cards\.json: written by another version; score anew"):
        report.main()


def test_a_sweep_of_unlike_points_is_refused_in_its_place_and_the_page_is_there(project: Path) -> None:
    for alpha, holes in ((0.25, "a"), (0.5, "b")):
        card = replace(CARD, mask_hash=holes * 64)
        finish(places.sweeps() / "unlike", f"{alpha}", {ALPHA: alpha}, 20 + alpha, card=card)
    html = page()
    section = html[html.index('<section id="sweeps">') : html.index("The best of k")]
    assert re.search(
        r'<p class="missing">sweep unlike: 0\.25 and 0\.5 cannot be compared: .*run one of them again', section
    )
    assert "<svg" not in section and "classical/<wbr>telea" in html


def test_a_sweep_is_a_curve_with_bars_and_a_table(project: Path) -> None:
    for alpha in (0.25, 0.5, 1.0):
        finish(places.sweeps() / "<alpha>", f"<b>{alpha}", {ALPHA: alpha}, 20 + alpha)
    html = page()
    section = html[html.index('<section id="sweeps">') : html.index("The best of k")]
    assert "3 points over alpha" in section and "PSNR over alpha on centre" in section
    assert section.count("<circle") == 3 and "<b>0.25" not in section and "&lt;alpha&gt;" in section
    assert "paired difference from &lt;b&gt;0.5" in section  # what params.yaml sets


def test_what_comes_from_outside_is_escaped(project: Path) -> None:
    evil = "<script>alert('x')</script>\"'&"
    path = places.scores() / "classical.cards.json"
    notes = json.loads(path.read_text())
    notes["warnings"].append({"method": evil, "protocol": "box", "text": evil})
    path.write_text(json.dumps(notes))
    index = Path("data/samples/latent_codes/box/plain/draw.json")
    index.write_text(json.dumps({**json.loads(index.read_text()), "row": evil}))
    card = Path("data/models/latent_codes/vq/card.md")
    card.write_text(evil)
    html = page()
    assert evil not in html and "alert(&#39;x&#39;)" in html
    assert Links(html).tags.count("script") == 1
    beside = "".join(path.read_text() for path in (places.reports() / "pages").glob("*.[jh]*"))
    assert "alert('x')" in beside and "<script>alert" not in beside
    assert Links((places.reports() / "pages/explorer.html").read_text()).tags.count("script") == 2
