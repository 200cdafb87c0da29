// the list of images: sorted and filtered by one metric of one entry (or of the mean of all)
const state = { protocol: null, testset: null, place: null, image: 0, entry: 0, sample: 0, order: [], made: 0 };
const SOME = 240; // buttons made at a time

const values = () => {
  const byEntry = state.protocol.images[Number($("metric").value)];
  const of = Number($("of").value);
  if (of < byEntry.length) return byEntry[of];
  return byEntry[0].map((_, image) => {
    const there = byEntry.map((own) => own[image]).filter((value) => value !== null);
    return there.length ? there.reduce((a, b) => a + b, 0) / there.length : null;
  });
};

const sorted = (by) => {
  const [low, high] = ["low", "high"].map((id) => ($(id).value === "" ? null : Number($(id).value)));
  const text = $("search").value.toLowerCase();
  const fits = (image) => (low === null || (by[image] !== null && by[image] >= low))
    && (high === null || (by[image] !== null && by[image] <= high))
    && (state.testset.keys[image].toLowerCase().includes(text) || state.testset.sources[image].toLowerCase().includes(text));
  const kept = state.testset.keys.map((_, image) => image).filter(fits);
  if ($("order").value === "given") return kept;
  const rising = (state.protocol.metrics[Number($("metric").value)].better === "higher") === ($("order").value === "worst");
  return kept.sort((a, b) => {
    if (by[a] === null || by[b] === null) return (by[a] === null) - (by[b] === null);
    return (rising ? 1 : -1) * (by[a] - by[b]) || a - b;
  });
};

const button = (image, value) => {
  const { side, across, images } = state.testset.sheet;
  const at = image % images;
  const thumb = element("i");
  thumb.style.backgroundImage = `url("${encodeURI(state.place.folder)}/sheet-${Math.floor(image / images)}.webp")`;
  thumb.style.backgroundPosition = `${-(at % across) * side}px ${-Math.floor(at / across) * side}px`;
  const made = element("button", { type: "button", title: state.testset.keys[image] },
    thumb, element("b", { textContent: number(value) }), element("span", { textContent: state.testset.keys[image] }));
  made.dataset.image = image;
  made.addEventListener("click", () => choose(image));
  return made;
};

const more = (until = state.made + SOME) => {
  const by = values();
  const next = state.order.slice(state.made, until);
  $("list").append(...next.map((image) => button(image, by[image])));
  state.made += next.length;
};

const list = () => {
  state.order = sorted(values());
  state.made = 0;
  $("list").replaceChildren();
  more();
  $("count").textContent = `${state.order.length} of ${state.testset.keys.length} images`;
  $("nothing").hidden = state.order.length > 0;
  $("shown").hidden = state.order.length === 0;
  if (state.order.length) choose(state.order.includes(state.image) ? state.image : state.order[0]);
};

const follow = () => {
  const at = state.order.indexOf(state.image);
  if (at >= state.made) more(at + SOME);
  for (const other of $("list").querySelectorAll("[aria-current]")) other.removeAttribute("aria-current");
  const current = $("list").children[at];
  current?.setAttribute("aria-current", "true");
  current?.scrollIntoView({ block: "nearest", inline: "nearest" });
};

$("list").addEventListener("scroll", () => {
  const { scrollTop, scrollLeft, clientHeight, clientWidth, scrollHeight, scrollWidth } = $("list");
  if (scrollTop + 2 * clientHeight > scrollHeight || (scrollWidth > clientWidth && scrollLeft + 2 * clientWidth > scrollWidth)) more();
});
