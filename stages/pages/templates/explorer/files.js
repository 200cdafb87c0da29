// what is on disk: scripts call plurifill(name, values); each is loaded once, when it is asked for
const $ = (id) => document.getElementById(id);
const contents = JSON.parse($("contents").textContent);
const arrived = new Map();
const asked = new Map();
window.plurifill = (name, values) => arrived.set(name, values);

const script = (name) => {
  if (!asked.has(name)) asked.set(name, new Promise((done, failed) => {
    const element = document.createElement("script");
    element.src = encodeURI(name);
    element.onload = () => done(arrived.get(name));
    element.onerror = () => failed(new Error(`${name} is not beside this page`));
    document.head.append(element);
  }));
  return asked.get(name);
};

const picture = (name) => new Promise((done, failed) => {
  const image = new Image();
  image.onload = () => done(image);
  image.onerror = () => failed(new Error(`${name} is not beside this page`));
  image.src = encodeURI(name);
});

const element = (tag, attributes = {}, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made[name] = value;
  made.append(...children);
  return made;
};

const number = (value) => (value === null || value === undefined ? "–" : String(Number(value.toPrecision(3))));
const spritePath = (place, image) => `${place.folder}/${String(image).padStart(5, "0")}.webp`;
