// one image: the slider between before and after, and every entry's samples
let sprite = null;

const tile = (canvas, column, line, given = false) => {
  const size = state.testset.size;
  if (canvas.width !== size) canvas.width = canvas.height = size;
  const brush = canvas.getContext("2d");
  brush.clearRect(0, 0, size, size);
  brush.drawImage(sprite, column * size, line * size, size, size, 0, 0, size, size);
  if (given) brush.drawImage(sprite, size, 0, size, size, 0, 0, size, size);
};

const spreadAt = () => state.testset.columns;
const same = (entry) => state.testset.same[state.image][entry];
const count = (entry) => (same(entry) ? 1 : state.testset.samples[entry]);
const spreads = (entry) => state.testset.totals[entry] > 1 && !same(entry);
const composited = () => !$("with-raw").checked;
const name = (column) => (column === spreadAt() ? "spread" : `sample ${column}`);

const paint = () => {
  const { entry, sample } = state;
  tile($("after"), sample, entry + 1, composited() && sample !== spreadAt());
  tile($("before"), $("with-truth").checked ? 0 : 1, 0);
  tile($("given"), 1, 0);
  tile($("original"), 0, 0);
  $("before").setAttribute("aria-label", $("with-truth").checked ? "original" : "given");
  $("after").setAttribute("aria-label", `${state.testset.entries[entry]}, ${name(sample)}`);
  $("outline").style.display = $("with-outline").checked ? "" : "none";
  $("chosen").textContent = `${state.testset.entries[entry]}, ${name(sample)}${composited() ? "" : ", raw"}`;
  for (const made of $("entries").querySelectorAll("button")) {
    const chosen = Number(made.dataset.entry) === entry && Number(made.dataset.sample) === sample;
    made.setAttribute("aria-pressed", String(chosen));
  }
  scores();
  const told = new URLSearchParams({ protocol: contents.protocols[$("protocol").value].name, image: state.testset.keys[state.image], entry: state.testset.entries[entry], sample });
  history.replaceState(null, "", `#${told}`);
};

const scores = () => {
  const { protocol, image, entry, sample } = state;
  $("values").replaceChildren(...protocol.metrics.map((metric, m) => {
    const own = protocol.samples[m][entry];
    const one = own && sample !== spreadAt() ? own[image][sample] : protocol.images[m][entry][image];
    const arrow = { higher: " ↑", lower: " ↓" }[metric.better] || "";
    return element("div", {}, element("dt", { textContent: metric.label + arrow }), element("dd", { textContent: number(one) }));
  }));
};

const strip = (entry) => {
  const { protocol, testset, image } = state;
  const m = Number($("metric").value);
  const shown = [...Array(count(entry)).keys(), spreadAt()].filter((column) => column !== spreadAt() || spreads(entry));
  const tiles = shown.map((column) => {
    const canvas = element("canvas");
    tile(canvas, column, entry + 1, composited() && column !== spreadAt());
    const own = protocol.samples[m][entry];
    const value = column === spreadAt() ? "spread" : own ? number(own[image][column]) : " ";
    const made = element("button", { type: "button", title: `${testset.entries[entry]}, ${name(column)}` }, canvas, element("small", { textContent: value }));
    Object.assign(made.dataset, { entry, sample: column });
    made.addEventListener("click", () => pick(entry, column));
    return made;
  });
  const value = number(protocol.images[m][entry][image]);
  const note = same(entry) ? "one answer" : testset.totals[entry] > testset.samples[entry] ? `${testset.samples[entry]} of ${testset.totals[entry]} samples` : "";
  const title = element("h2", { textContent: testset.entries[entry] });
  return element("section", {}, element("header", {}, title, element("b", { textContent: value }), element("span", { className: "soft", textContent: note })),
    element("div", { className: "strip", tabIndex: -1 }, ...tiles));
};

const entries = () => {
  $("entries").replaceChildren(...state.testset.entries.map((_, entry) => strip(entry)));
  paint();
};

const pick = (entry, sample) => {
  state.entry = Math.max(0, Math.min(entry, state.testset.entries.length - 1));
  state.sample = sample === spreadAt() && spreads(state.entry) ? sample : Math.max(0, Math.min(sample, count(state.entry) - 1));
  paint();
};

const choose = async (image) => {
  state.image = image;
  follow();
  let loaded = null;
  try {
    loaded = await picture(spritePath(state.place, image));
  } catch (error) {
    $("count").textContent = error.message;
    return;
  }
  if (state.image !== image) return; // another one was chosen meanwhile
  sprite = loaded;
  $("key").textContent = state.testset.keys[image];
  $("source").textContent = `from ${state.testset.sources[image]}`;
  $("outline").setAttribute("viewBox", `0 0 ${state.testset.size} ${state.testset.size}`);
  for (const path of $("outline").children) path.setAttribute("d", state.testset.outlines[image]);
  if (state.sample !== spreadAt() || !spreads(state.entry)) state.sample = Math.max(0, Math.min(state.sample, count(state.entry) - 1));
  entries();
};
