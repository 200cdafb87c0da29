// one image: the slider between before and after, and every row's samples
let sprite = null;

const tile = (canvas, column, line, given = false) => {
  const size = state.draw.size;
  if (canvas.width !== size) canvas.width = canvas.height = size;
  const brush = canvas.getContext("2d");
  brush.clearRect(0, 0, size, size);
  brush.drawImage(sprite, column * size, line * size, size, size, 0, 0, size, size);
  if (given) brush.drawImage(sprite, size, 0, size, size, 0, 0, size, size);
};

const spreadAt = () => state.draw.columns;
const same = (row) => state.draw.same[state.image][row];
const count = (row) => (same(row) ? 1 : state.draw.samples[row]);
const spreads = (row) => state.draw.totals[row] > 1 && !same(row);
const composited = () => !$("with-raw").checked;
const name = (column) => (column === spreadAt() ? "spread" : `sample ${column}`);

const paint = () => {
  const { row, sample } = state;
  tile($("after"), sample, row + 1, composited() && sample !== spreadAt());
  tile($("before"), $("with-truth").checked ? 0 : 1, 0);
  tile($("given"), 1, 0);
  tile($("original"), 0, 0);
  $("before").setAttribute("aria-label", $("with-truth").checked ? "original" : "given");
  $("after").setAttribute("aria-label", `${state.draw.rows[row]}, ${name(sample)}`);
  $("outline").style.display = $("with-outline").checked ? "" : "none";
  $("chosen").textContent = `${state.draw.rows[row]}, ${name(sample)}${composited() ? "" : ", raw"}`;
  for (const made of $("rows").querySelectorAll("button")) {
    const chosen = Number(made.dataset.row) === row && Number(made.dataset.sample) === sample;
    made.setAttribute("aria-pressed", String(chosen));
  }
  figures();
  const told = new URLSearchParams({ protocol: contents.protocols[$("protocol").value].name, image: state.draw.keys[state.image], row: state.draw.rows[row], sample });
  history.replaceState(null, "", `#${told}`);
};

const figures = () => {
  const { protocol, image, row, sample } = state;
  $("figures").replaceChildren(...protocol.metrics.map((metric, m) => {
    const own = protocol.samples[m][row];
    const one = own && sample !== spreadAt() ? own[image][sample] : protocol.images[m][row][image];
    const arrow = { higher: " ↑", lower: " ↓" }[metric.better] || "";
    return element("div", {}, element("dt", { textContent: metric.label + arrow }), element("dd", { textContent: number(one) }));
  }));
};

const strip = (row) => {
  const { protocol, draw, image } = state;
  const m = Number($("metric").value);
  const shown = [...Array(count(row)).keys(), spreadAt()].filter((column) => column !== spreadAt() || spreads(row));
  const tiles = shown.map((column) => {
    const canvas = element("canvas");
    tile(canvas, column, row + 1, composited() && column !== spreadAt());
    const own = protocol.samples[m][row];
    const value = column === spreadAt() ? "spread" : own ? number(own[image][column]) : " ";
    const made = element("button", { type: "button", title: `${draw.rows[row]}, ${name(column)}` }, canvas, element("small", { textContent: value }));
    Object.assign(made.dataset, { row, sample: column });
    made.addEventListener("click", () => pick(row, column));
    return made;
  });
  const value = number(protocol.images[m][row][image]);
  const note = same(row) ? "one answer" : draw.totals[row] > draw.samples[row] ? `${draw.samples[row]} of ${draw.totals[row]} samples` : "";
  const title = element("h2", { textContent: draw.rows[row] });
  return element("section", {}, element("header", {}, title, element("b", { textContent: value }), element("span", { className: "soft", textContent: note })),
    element("div", { className: "strip", tabIndex: -1 }, ...tiles));
};

const rows = () => {
  $("rows").replaceChildren(...state.draw.rows.map((_, row) => strip(row)));
  paint();
};

const pick = (row, sample) => {
  state.row = Math.max(0, Math.min(row, state.draw.rows.length - 1));
  state.sample = sample === spreadAt() && spreads(state.row) ? sample : Math.max(0, Math.min(sample, count(state.row) - 1));
  paint();
};

const choose = async (image) => {
  state.image = image;
  mark();
  let loaded = null;
  try {
    loaded = await picture(spritePath(state.place, image));
  } catch (error) {
    $("count").textContent = error.message;
    return;
  }
  if (state.image !== image) return; // another one was chosen meanwhile
  sprite = loaded;
  $("key").textContent = state.draw.keys[image];
  $("source").textContent = `from ${state.draw.sources[image]}`;
  $("outline").setAttribute("viewBox", `0 0 ${state.draw.size} ${state.draw.size}`);
  for (const path of $("outline").children) path.setAttribute("d", state.draw.outlines[image]);
  if (state.sample !== spreadAt() || !spreads(state.row)) state.sample = Math.max(0, Math.min(state.sample, count(state.row) - 1));
  rows();
};
