// The page: a picture is chosen, a hole painted, completions asked for and shown; one may be painted on.

import { Painting } from "./painting.js";

const $ = (id) => document.getElementById(id);
const tool = () => document.querySelector("input[name=tool]:checked").value;
const state = { first: null, picture: null, name: "picture", busy: false };
const painting = new Painting($("hole"), tool, () => Number($("width").value), ready);

function ready() {
  const entry = $("entry").selectedOptions[0];
  $("go").disabled = state.busy || !state.picture || !entry || entry.disabled || painting.empty();
}

function tell(place, words, wrong = false) {
  $(place).textContent = words;
  $(place).classList.toggle("wrong", wrong);
}

// what the server answers, or an Error with its line
async function ask(address, options) {
  let reply;
  try {
    reply = await fetch(address, options);
  } catch {
    throw new Error("plurifill demo does not answer: is it still running?");
  }
  if (reply.ok) return reply;
  const told = await reply.json().catch(() => ({}));
  throw new Error(told.error ?? `the server failed (${reply.status}); its terminal tells why`);
}

// the file itself is kept and sent, so that known pixels stay exactly its own
async function show(file, name, first = true) {
  tell("told", "");
  try {
    const seen = await (await ask("/api/picture", { method: "POST", body: file })).blob();
    const pixels = await createImageBitmap(seen);
    $("stage").hidden = $("tools").hidden = false;
    Object.assign($("picture"), { width: pixels.width, height: pixels.height });
    $("picture").getContext("2d").drawImage(pixels, 0, 0);
    Object.assign(state, { picture: file, name, first: first ? file : state.first });
    painting.reset(pixels.width, pixels.height);
    $("stage").scrollIntoView({ block: "nearest" });
  } catch (error) {
    tell("told", error.message, true);
  }
}

async function base64(blob) {
  const reader = new FileReader();
  const read = new Promise((done) => (reader.onload = done));
  reader.readAsDataURL(blob);
  await read;
  return reader.result.slice(reader.result.indexOf(",") + 1);
}

async function complete(event) {
  event.preventDefault();
  state.busy = true;
  ready();
  tell("answer", "drawing …");
  const begun = performance.now();
  try {
    const hole = await painting.png();
    const asked = {
      image: await base64(state.picture), mask: await base64(hole), entry: $("entry").value, window: $("window").value,
      nsampling: $("count").value, seed: $("seed").value, temperature: $("warm").hidden ? null : $("temperature").value || null,
    };
    const options = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(asked) };
    const { completions, remarks } = await (await ask("/api/complete", options)).json();
    const how = `${asked.entry}${asked.temperature === null ? "" : `, temperature ${asked.temperature}`}`;
    $("completions").replaceChildren(...completions.map((one) => figure(one, how)));
    $("mask").href = URL.createObjectURL(hole);
    $("after").hidden = false;
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    tell("answer", [`${how}: ${completions.length} in ${seconds} s`, ...remarks].join("; "));
  } catch (error) {
    tell("answer", error.message, true);
  }
  state.busy = false;
  ready();
}

function figure({ seed, png }, how) {
  const shown = document.createElement("figure");
  const image = Object.assign(new Image(), { src: `data:image/png;base64,${png}`, alt: `completion of seed ${seed}, ${how}` });
  const words = document.createElement("figcaption");
  const load = Object.assign(document.createElement("a"), { href: image.src, download: `${state.name}-${seed}.png`, textContent: "Download" });
  const go = Object.assign(document.createElement("button"), { type: "button", textContent: "Paint on" });
  go.setAttribute("aria-label", `Paint on in the completion of seed ${seed}`);
  go.onclick = async () => show(await (await fetch(image.src)).blob(), state.name, false);
  words.append(`seed ${seed}`, go, load);
  shown.append(image, words);
  return shown;
}

function choose() {
  const { temperature } = $("entry").selectedOptions[0].dataset;
  $("warm").hidden = temperature === undefined;
  $("temperature").value = temperature ?? "";
  ready();
}

async function begin() {
  const entries = await (await ask("/api/entries")).json();
  for (const { entry, temperature, missing } of entries) {
    const option = new Option(missing ? `${entry} (not trained)` : entry, entry);
    option.disabled = missing !== null;
    option.title = missing ?? "";
    if (temperature !== null) option.dataset.temperature = temperature;
    $("entry").add(option);
  }
  $("entry").selectedIndex = Math.max(0, entries.findIndex((one) => one.missing === null));
  choose();
  const { keys, missing } = await (await ask("/api/examples")).json();
  if (missing) tell("told", `no examples: ${missing}`);
  $("examples").replaceChildren(...keys.map(example));
}

function example(key) {
  const button = Object.assign(document.createElement("button"), { type: "button" });
  const image = Object.assign(new Image(), { src: `/api/examples/${encodeURIComponent(key)}`, alt: `example ${key}` });
  button.append(image);
  button.onclick = async () => show(await (await fetch(image.src)).blob(), key);
  return button;
}

$("file").onchange = (event) => event.target.files[0] && show(event.target.files[0], stem(event.target.files[0]));
const stem = (file) => file.name.replace(/\.[^.]*$/, "");
for (const kind of ["dragover", "dragleave", "drop"])
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    document.body.classList.toggle("over", kind === "dragover");
    const [file] = kind === "drop" ? event.dataTransfer.files : [];
    if (file) show(file, stem(file));
  });
$("middle").onclick = () => painting.middle();
$("undo").onclick = () => painting.undo();
$("clear").onclick = () => painting.clear();
$("back").onclick = () => show(state.first, state.name);
$("entry").onchange = choose;
$("how").onsubmit = complete;
begin().catch((error) => tell("told", error.message, true));
