// controls, keys, and what the address says after #
const fill = (select, labels) => {
  const kept = [...select.options].find((option) => option.selected)?.textContent;
  select.replaceChildren(...labels.map((label, i) => element("option", { value: i, textContent: label })));
  const again = [...select.options].find((option) => option.textContent === kept);
  if (again) again.selected = true;
};

const open = async (asked = {}) => {
  const chosen = contents.protocols[Number($("protocol").value)];
  state.place = contents.testsets[chosen.testset];
  try {
    [state.testset, state.protocol] = await Promise.all([script(state.place.file), script(chosen.file)]);
  } catch (error) {
    $("count").textContent = error.message;
    return;
  }
  const { testset, protocol } = state;
  fill($("metric"), protocol.metrics.map((metric) => metric.label));
  fill($("of"), [...testset.entries, "mean of all"]);
  state.entry = Math.max(0, testset.entries.indexOf(asked.entry));
  state.sample = Number(asked.sample) || 0;
  const image = testset.keys.indexOf(asked.image);
  state.image = image < 0 ? -1 : image;
  $("with-raw").checked = !protocol.composite;
  $("signature").textContent = protocol.signature;
  $("full").textContent = testset.full;
  list();
};

const step = (by) => {
  const at = state.order.indexOf(state.image) + by;
  if (at >= 0 && at < state.order.length) choose(state.order[at]);
};
const across = (by) => {
  const there = [...Array(count(state.entry)).keys(), ...(spreads(state.entry) ? [spreadAt()] : [])];
  const at = there.indexOf(state.sample) + by;
  if (at >= 0 && at < there.length) pick(state.entry, there[at]);
};
const toggle = (id) => { $(id).checked = !$(id).checked; entries(); };
const keys = {
  j: () => step(1), k: () => step(-1), ArrowRight: () => across(1), ArrowLeft: () => across(-1),
  "]": () => pick(state.entry + 1, state.sample), "[": () => pick(state.entry - 1, state.sample),
  o: () => toggle("with-outline"), b: () => toggle("with-truth"), r: () => toggle("with-raw"),
};
document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("select, input:not([type=checkbox])") && (event.target.id !== "slider" || event.key.startsWith("Arrow"));
  if (typing || event.ctrlKey || event.metaKey || event.altKey || !sprite || !state.order.length) return;
  const act = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (act) { event.preventDefault(); act(); }
});

$("slider").addEventListener("input", () => $("stage").style.setProperty("--at", `${$("slider").value}%`));
for (const id of ["with-outline", "with-truth", "with-raw"]) $(id).addEventListener("change", entries);
for (const id of ["metric", "of", "order"]) $(id).addEventListener("input", () => { state.image = -1; list(); });
for (const id of ["low", "high", "search"]) $(id).addEventListener("input", list);
$("controls").addEventListener("submit", (event) => event.preventDefault());
$("protocol").addEventListener("change", () => open({ entry: state.testset?.entries[state.entry] }));

const begin = () => {
  if (!contents.protocols.length) { $("count").textContent = "nothing is sampled and scored yet"; $("shown").hidden = true; return; }
  fill($("protocol"), contents.protocols.map((protocol) => protocol.name));
  const asked = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  const named = contents.protocols.findIndex((protocol) => protocol.name === asked.protocol);
  if (named >= 0) $("protocol").value = named;
  open(asked);
};
requestAnimationFrame(() => setTimeout(begin)); // after the first paint
