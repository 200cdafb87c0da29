// A hole painted over a picture: brush, eraser and box on a canvas of the picture's own size, white where the hole is.

const STEPS = 30; // of undo

export class Painting {
  constructor(canvas, tool, width, changed) {
    Object.assign(this, { canvas, tool, width, changed, past: [], last: null });
    this.pen = canvas.getContext("2d", { willReadFrequently: true });
    canvas.addEventListener("pointerdown", (event) => this.begin(event));
    canvas.addEventListener("pointermove", (event) => this.last && this.go(event));
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => this.end());
  }

  reset(width, height) {
    Object.assign(this.canvas, { width, height });
    this.past = [];
    this.changed();
  }

  begin(event) {
    this.canvas.setPointerCapture(event.pointerId);
    this.keep();
    this.last = this.first = this.at(event);
    this.go(event);
  }

  go(event) {
    const here = this.at(event);
    if (this.tool() === "box") {
      this.pen.putImageData(this.past.at(-1), 0, 0);
      this.box(this.first, here);
    } else {
      this.stroke(this.last, here);
    }
    this.last = here;
  }

  end() {
    this.last = null;
    this.changed();
  }

  stroke(from, to) {
    this.pen.globalCompositeOperation = this.tool() === "eraser" ? "destination-out" : "source-over";
    Object.assign(this.pen, { strokeStyle: "#fff", lineCap: "round", lineWidth: this.thickness() });
    this.pen.beginPath();
    this.pen.moveTo(from.x, from.y);
    this.pen.lineTo(to.x, to.y);
    this.pen.stroke();
    this.pen.globalCompositeOperation = "source-over";
  }

  box(from, to) {
    const [left, right] = [from.x, to.x].map(Math.round).sort((a, b) => a - b);
    const [top, bottom] = [from.y, to.y].map(Math.round).sort((a, b) => a - b);
    this.pen.fillStyle = "#fff";
    this.pen.fillRect(left, top, right - left, bottom - top);
  }

  middle() {
    const { width, height } = this.canvas;
    this.keep();
    this.box({ x: width / 4, y: height / 4 }, { x: (3 * width) / 4, y: (3 * height) / 4 });
    this.changed();
  }

  clear() {
    this.keep();
    this.pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    this.changed();
  }

  keep() {
    this.past.push(this.pixels());
    if (this.past.length > STEPS) this.past.shift();
  }

  undo() {
    const before = this.past.pop();
    if (before) this.pen.putImageData(before, 0, 0);
    this.changed();
  }

  pixels() {
    return this.pen.getImageData(0, 0, this.canvas.width, this.canvas.height);
  }

  // in the picture's pixels: the canvas is shown at another size
  at(event) {
    const shown = this.canvas.getBoundingClientRect();
    const scale = this.canvas.width / shown.width;
    return { x: (event.clientX - shown.left) * scale, y: (event.clientY - shown.top) * scale };
  }

  thickness() {
    return Math.max(1, (this.width() / 100) * Math.max(this.canvas.width, this.canvas.height));
  }

  empty() {
    return !this.pixels().data.some((value, index) => index % 4 === 3 && value > 127);
  }

  // the hole as a PNG: white in the hole, black elsewhere, nothing between
  png() {
    const flat = new OffscreenCanvas(this.canvas.width, this.canvas.height);
    const seen = this.pixels();
    for (let i = 0; i < seen.data.length; i += 4) {
      seen.data.fill(seen.data[i + 3] > 127 ? 255 : 0, i, i + 3);
      seen.data[i + 3] = 255;
    }
    flat.getContext("2d").putImageData(seen, 0, 0);
    return flat.convertToBlob({ type: "image/png" });
  }
}
