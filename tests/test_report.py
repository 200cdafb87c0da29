"""`plurifill report`: complete alone, everything escaped, honest about what is missing, unlike cards refused.

One finished project is read by all; a test that changes something changes a copy.
"""

import json
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from stages import report
from stages.cli import export
from stages.contract import UserError
from stages.evaluation.sweeps import pictures
from stages.pages.figures import named
from stages.project import paths, tables
from tests.evaluation.sweeps.made import ALPHA, CARD, finish
from tests.pages.project import finished

KINDS, TEMPERATURE = "methods.latent_codes.encoder.kind", "methods.latent_codes.inpaint.temperature"


def copied(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """A copy of the finished project, to be changed at will; the working directory."""
    for name in ("PLURIFILL_DATA", "PLURIFILL_REPORTS"):
        patch.delenv(name, raising=False)
    patch.chdir(shutil.copytree(finished(), folder))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copied(tmp_path / "project", monkeypatch)
    return Path()


@pytest.fixture(scope="module")
def reports() -> Path:
    """The finished project's; to be read only."""
    return finished() / "reports"


@pytest.fixture(scope="module")
def html(reports: Path) -> str:
    return (reports / "index.html").read_text()


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reports of a project with four sweeps: two that kept pictures, one of unlike points, one of odd names."""
    with pytest.MonkeyPatch.context() as patch:
        copied(tmp_path_factory.mktemp("swept") / "project", patch)
        for sweep, key, values in (("kinds", KINDS, ["restrictive", "miracle"]), ("heat", TEMPERATURE, [0.5, 1.0])):
            for value in values:
                finish(paths.sweeps() / sweep, f"p={value}", {key: value}, 20.0)
                kept = paths.sweeps() / sweep / f"p={value}.pictures/latent_codes"
                export.main("latent_codes", kept, images=3, samples=1)
        for alpha, holes in ((0.25, "a"), (0.5, "b")):
            card = replace(CARD, mask_hash=holes * 64)
            finish(paths.sweeps() / "unlike", f"{alpha}", {ALPHA: alpha}, 20 + alpha, card=card)
        for alpha in (0.25, 0.5, 1.0):
            finish(paths.sweeps() / "<alpha>", f"<b>{alpha}", {ALPHA: alpha}, 20 + alpha)
        page()
        return paths.reports().resolve()


def page() -> str:
    report.main()
    return (paths.reports() / "index.html").read_text()


def article(reports: Path, sweep: str) -> str:
    """What the page's section on sweeps says of one of them, by its name as HTML."""
    html = (reports / "index.html").read_text()
    section = html[html.index('<section id="sweeps">') : html.index("The best of k")]
    (found,) = (one for one in section.split("<article") if f"<h3>{sweep}</h3>" in one)
    return found


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


def test_the_page_asks_for_nothing_outside_of_itself(html: str) -> None:
    assert all(address.startswith(("data:", "#", "pages/explorer.html")) for address in Links(html).addresses)
    assert not re.search(r"url\((?!#)|@import|https?://", html.replace("http://127.0.0.1:9", ""))


def test_every_section_shows_what_the_project_has(html: str) -> None:
    for word in ("latent_codes", "classical/<wbr>telea", "token mask", "Known error", "latent_<wbr>codes/<wbr>prior"):
        assert word in html
    assert html.count("<svg") >= 4
    assert "No trained part" not in html and "Nothing is" not in html


def test_what_could_not_be_had_is_told_with_its_reason(html: str) -> None:
    assert re.search(r"latent_codes \(lpips_vgg\).*absent: .*vgg16-397923af\.pth .*not in", html)
    assert "Trained without" in html


def test_every_figure_of_the_papers_is_there_or_tells_what_it_waits_for(html: str) -> None:
    assert "000 F3: which tokens are read off" in html and html.count("alpha = 0.25") >= 1
    assert "003 F7: large holes: box" in html
    figures = named.named()
    assert [one.name[:3] for one in figures] == sorted(one.name[:3] for one in figures)
    for one in figures:
        filled = f"{one.name}: " in html
        assert filled != (f'<th scope="row">{one.name}</th>' in html), one.name
        assert filled or one.needs in html
        assert one.make or not filled


@pytest.mark.parametrize(
    ("sweep", "key", "values", "title"),
    [
        ("kinds", KINDS, ["restrictive", "miracle"], "000 F14: what the encoder is given"),
        ("heat", TEMPERATURE, [0.5, 1.0], "sweep heat: latent_codes on box"),
    ],
)
def test_the_pictures_that_a_sweeps_points_kept_are_a_figure(
    swept: Path, sweep: str, key: str, values: list, title: str
) -> None:
    html = (swept / "index.html").read_text()
    figure = re.search(rf"<h3>{title}.*?</table>", html, re.DOTALL)
    assert figure and all(f"p={value}</th>" in figure[0] for value in values)
    assert figure[0].count("<img") == 3 * (1 + len(values) + 1)  # given, the points, original
    shown = re.findall(r'src="([^"]+)"[^>]*alt="[^"]*: p=', figure[0])
    assert len(shown) == 3 * len(values) and len(set(shown)) == 3  # both points have the same completions here
    one, *_ = (kept for kept in pictures.read(swept / "sweeps") if kept.sweep == sweep)
    assert one.entry == "latent_codes" and set(one.point.overrides) == {key}


def test_the_best_of_k_is_drawn_where_samples_differ_and_kept_for_all(html: str, reports: Path) -> None:
    assert "The best of k" in html
    kept = tables.read(reports / "best_of_k")
    assert set(kept["method"]) == {"latent_codes", "classical/mean", "classical/telea"}
    assert set(kept["protocol"]) == {"box"} and set(kept["k"]) == {1, 2, 3}
    summary = tables.read(reports / "scores/latent_codes.summary").query("protocol == 'box' and metric == 'psnr'")
    one = kept.query("method == 'latent_codes' and metric == 'psnr' and k == 1")
    assert one["estimate"].item() == pytest.approx(summary["estimate"].item())


def written(reports: Path) -> dict[str, bytes]:
    """Every file of the report by its name."""
    return {str(path.relative_to(reports)): path.read_bytes() for path in reports.rglob("*") if path.is_file()}


def test_one_result_the_same_bytes(project: Path, reports: Path) -> None:
    (paths.reports() / "pages" / "left-over.webp").write_bytes(b"of an earlier report")
    page()
    first, again = written(reports), written(paths.reports())
    assert [name for name in first if first[name] != again.get(name)] == [] and set(first) == set(again)
    assert len([name for name in first if name.endswith(".webp")]) == 8 + 1  # images, and their sheet


def test_the_explorer_tells_the_scores_that_were_written(reports: Path) -> None:
    told = (reports / "pages/protocol-box.js").read_text()
    values = json.loads(told[told.index(",") + 1 : told.rindex(")")])
    long = tables.read(reports / "scores/latent_codes")
    own = long[(long["protocol"] == "box") & (long["metric"] == "psnr")]
    testset = (reports / "pages/testset-box.js").read_text()
    keys = json.loads(testset[testset.index(",") + 1 : testset.rindex(")")])["keys"]
    label = [metric["label"] for metric in values["metrics"]].index("PSNR")
    for key, value in zip(keys, values["images"][label][0], strict=True):
        assert value == pytest.approx(own.loc[own["image"] == key, "value"].mean(), rel=1e-3)


def test_the_tables_agree_with_the_scores(reports: Path) -> None:
    summary = tables.read(reports / "tables")
    frames = [tables.read(reports / f"scores/{method}.summary") for method in ("classical", "latent_codes")]
    pd.testing.assert_frame_equal(summary, pd.concat(frames, ignore_index=True))
    lines = (reports / "tables.md").read_text().splitlines()
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
    for path in [*paths.scores().glob("latent_codes*"), paths.samples("latent_codes"), Path("data/models")]:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    html = page()
    assert "classical/<wbr>mean" in html and "2 ways of completing" in html


def test_unlike_cards_are_refused_by_the_field_that_differs(project: Path) -> None:
    path = paths.scores() / "classical.cards.json"
    notes = json.loads(path.read_text())
    notes["cards"]["classical/mean"]["box"]["mask_hash"] = "other"
    path.write_text(json.dumps(notes))
    with pytest.raises(UserError, match="mask_hash"):
        report.main()


@pytest.mark.parametrize("older", [None, 1])
def test_scores_of_an_older_version_are_refused_with_how_to_make_them_anew(project: Path, older: int | None) -> None:
    path = paths.scores() / "classical.cards.json"
    notes = json.loads(path.read_text())
    del notes["format"]
    path.write_text(json.dumps(notes if older is None else {**notes, "format": older}))
    with pytest.raises(UserError) as raised:
        report.main()
    mend = "score anew (plurifill sample classical, plurifill benchmark classical)"
    assert str(raised.value).endswith(f"classical.cards.json: written by another version; {mend}")


def test_a_sweep_of_unlike_points_is_refused_in_its_place_and_the_page_is_there(swept: Path) -> None:
    refused = article(swept, "unlike")
    assert re.search(
        r'<p class="missing">sweep unlike: 0\.25 and 0\.5 cannot be compared: .*run one of them again', refused
    )
    assert "<svg" not in refused and "classical/<wbr>telea" in (swept / "index.html").read_text()


def test_a_sweep_is_a_curve_with_bars_and_a_table(swept: Path) -> None:
    told = article(swept, "&lt;alpha&gt;")
    assert "3 points over alpha" in told and "PSNR over alpha on centre" in told
    assert told.count("<circle") == 3 and "<b>0.25" not in told
    assert "paired difference from &lt;b&gt;0.5" in told  # what params.yaml sets


def test_what_comes_from_outside_is_escaped(project: Path) -> None:
    evil = "<script>alert('x')</script>\"'&"
    path = paths.scores() / "classical.cards.json"
    notes = json.loads(path.read_text())
    notes["warnings"].append({"method": evil, "protocol": "box", "text": evil})
    path.write_text(json.dumps(notes))
    index = Path("data/samples/latent_codes/box/plain/store.json")
    index.write_text(json.dumps({**json.loads(index.read_text()), "entry": evil}))
    card = Path("data/models/latent_codes/vq/card.md")
    card.write_text(evil)
    html = page()
    assert evil not in html and "alert(&#39;x&#39;)" in html
    assert Links(html).tags.count("script") == 1
    beside = "".join(path.read_text() for path in (paths.reports() / "pages").glob("*.[jh]*"))
    assert "alert('x')" in beside and "<script>alert" not in beside
    assert Links((paths.reports() / "pages/explorer.html").read_text()).tags.count("script") == 2
