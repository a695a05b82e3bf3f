// The pad: a picture, an SVG over it that pointer and keys act upon, and bars of buttons. The traits are in pad.py.

const TWICE = 400; // milliseconds between two presses that are one double press
const HELP = "Click to add a point, drag to draw. Points, dots (frames) and corners can be dragged, a double click removes "
  + "a point. Or Tab to one: arrow keys move it, + and − change the size, Delete removes it, Ctrl+Z undoes. On the "
  + "picture, Enter adds a point.";

class PathPad {
  constructor(model, el) {
    Object.assign(this, { model, el, frame: 0, drag: null, pressed: { point: -1, time: 0 }, bitmap: null });
    this.grid = model.get("grids")[0]?.[0] || "";
    this.drawing = new Drawing(model.get("value"), () => this.frames(), model.get("side"), () => this.tell());
    this.above = element("div", { class: "xattn-bar", role: "group", "aria-label": "objects" });
    this.picture = element("canvas", { role: "img", "aria-label": "the unguided clip" });
    this.svg = shape("svg", { tabindex: 0, role: "application", "aria-label": `path drawing. ${HELP}` });
    this.below = element("div", { class: "xattn-bar" });
    const stage = element("div", { class: "xattn-stage" }), help = element("details");
    stage.append(this.picture, this.svg);
    help.append(element("summary", {}, "How to draw"), element("p", {}, HELP));
    el.classList.add("xattn-pad");
    el.append(this.above, stage, this.below, help);
    keepKeys(el);
  }

  frames() {
    return this.model.get("frames");
  }

  color(index) {
    return this.model.get("colors")[index % this.model.get("colors").length];
  }

  // The kernel hears of a change.
  tell() {
    this.model.set("value", structuredClone(this.drawing.value));
    this.model.save_changes();
    this.draw();
  }

  // All of the SVG anew; the part that had the focus gets it back.
  draw(key = document.activeElement?.dataset?.key, bars = true) {
    const { drawing, svg } = this, width = (UNIT * this.model.get("width")) / this.model.get("height");
    svg.setAttribute("viewBox", `0 0 ${width} ${UNIT}`);
    svg.replaceChildren();
    if (this.grid && drawing.object?.points.length) drawCells(this, width);
    drawing.value.forEach((object, index) => index !== drawing.selected && drawObject(this, object, index, width));
    if (drawing.object) drawObject(this, drawing.object, drawing.selected, width);
    if (key) this.focus(key);
    if (bars) drawBars(this, this.above, this.below);
  }

  focus(key) {
    this.svg.querySelector(`[data-key="${key}"]`)?.focus({ preventScroll: true });
  }

  paint() {
    const { picture, model } = this, pen = picture.getContext("2d");
    pen.fillStyle = "#ebebeb";
    pen.fillRect(0, 0, picture.width, picture.height);
    if (this.bitmap) paintFrame(picture, this.bitmap, Math.min(this.frame, model.get("count") - 1), model.get("columns"));
  }

  async load() {
    this.bitmap = await readFilm(this.model.get("film"));
    [this.picture.width, this.picture.height] = [this.model.get("width"), this.model.get("height")];
    this.paint();
    this.draw();
  }

  look(index) {
    if (index === this.frame) return;
    this.frame = Math.min(index, this.frames() - 1);
    this.paint();
    if (!this.drag) this.draw(undefined, false);
  }

  // Pointer: what is under it when it goes down says what it does.

  placeOf(event) {
    const area = this.svg.getBoundingClientRect();
    return [clamp((event.clientX - area.left) / area.width), clamp((event.clientY - area.top) / area.height)];
  }

  take(event) {
    if (event.button) return;
    event.preventDefault();
    this.svg.setPointerCapture(event.pointerId);
    const { drawing } = this, place = this.placeOf(event);
    const { part = "ground", index = "0", object = drawing.selected } = event.target.dataset;
    drawing.select(Number(object));
    this.drag = { part, index: Number(index), before: structuredClone(drawing.value), line: [place], moved: false };
    if (part === "point") drawing.point = Number(index);
    if (part === "dot") this.frame = Number(index);
    if (part === "line") { // a press on the line adds a point there, which can be dragged at once
      const { points } = drawing.object;
      const between = Math.ceil(nearestShare(points, place) * (points.length - 1)) || 1;
      drawing.addPoint(place, between);
      Object.assign(this.drag, { part: "point", index: between, moved: true });
    }
    this.draw(part === "ground" || part === "line" ? "" : `${part}-${index}`);
  }

  move(event) {
    const { drag, drawing } = this;
    if (!drag) return;
    const place = this.placeOf(event), [x, y] = drag.line[0];
    drag.moved ||= Math.hypot(place[0] - x, place[1] - y) > STILL;
    if (!drag.moved) return;
    if (drag.part === "point") drawing.movePoint(drag.index, place);
    if (drag.part === "dot") drawing.moveDot(drag.index, nearestShare(drawing.object.points, place));
    if (drag.part === "corner") {
      const centre = drawing.object.points[drag.index];
      const size = centre.map((side, axis) => 2 * Math.abs(place[axis] - side)), longer = Math.max(...size);
      drawing.resize(drag.index, event.shiftKey ? size : [longer, longer]);
    }
    if (drag.part === "ground") drag.line.push(place);
    this.draw();
  }

  release() {
    if (!this.drag) return;
    const { drawing, pressed } = this, { part, line, before, moved } = this.drag;
    this.drag = null;
    const isPress = part === "point" && !moved;
    if (part === "ground" && drawing.object) {
      if (moved) resample(line, FREEHAND).forEach((place) => drawing.addPoint(place));
      else drawing.addPoint(line[0]);
      drawing.commit(before);
      this.focus(`point-${drawing.point}`);
    } else if (moved) drawing.commit(before);
    else if (isPress && drawing.point === pressed.point && performance.now() - pressed.time < TWICE) drawing.removePoint();
    else this.draw();
    this.pressed = { point: isPress ? drawing.point : -1, time: performance.now() };
  }

  drop() {
    if (this.drag) this.drawing.value = this.drag.before;
    this.drag = null;
    this.draw();
  }

  // Keyboard: of the part that has the focus.

  press(event) {
    const { part = "ground", index } = event.target.dataset;
    const action = this.actionOf(event, part, Number(index));
    if (!action) return;
    event.preventDefault();
    if (part === "point") this.drawing.point = Number(index);
    action();
    const isPoint = ["Enter", "Delete", "Backspace"].includes(event.key);
    this.focus(isPoint ? `point-${this.drawing.point}` : `${part}-${index}`);
  }

  actionOf(event, part, index) {
    const { drawing } = this, { key, shiftKey } = event, object = drawing.object, by = shiftKey ? LEAP : NUDGE;
    if (event.ctrlKey || event.metaKey) {
      const letter = key.toLowerCase();
      if (letter === "z") return () => (shiftKey ? drawing.redo() : drawing.undo());
      return letter === "y" ? () => drawing.redo() : null;
    }
    if (!object) return null;
    if (key === "Enter") return () => drawing.change(() => drawing.addPoint(object.points.at(-1) || [0.5, 0.5]));
    const ways = { ArrowLeft: [-by, 0], ArrowRight: [by, 0], ArrowUp: [0, -by], ArrowDown: [0, by] }, way = ways[key];
    if (way && part === "point") {
      const place = object.points[index].map((side, axis) => side + way[axis]);
      return () => drawing.change(() => drawing.movePoint(index, place));
    }
    if (way && part === "dot") {
      const share = drawing.times()[index] + (way[0] || -way[1]);
      return () => drawing.change(() => drawing.moveDot(index, share));
    }
    if ("+=-".includes(key) && part === "point") {
      const size = object.sizes[index].map((side) => side + (key === "-" ? -by : by));
      return () => drawing.change(() => drawing.resize(index, size));
    }
    return ["Delete", "Backspace"].includes(key) && part === "point" ? () => drawing.removePoint() : null;
  }

  // A part that gets the focus is the chosen one; of a dot, its frame is shown.
  enter(event) {
    const { part, index, key } = event.target.dataset, { drawing } = this;
    if (part === "point" && Number(index) !== drawing.point) drawing.point = Number(index);
    else if (part !== "dot" || Number(index) === this.frame) return;
    else this.frame = Number(index);
    setTimeout(() => { this.paint(); this.draw(key, part === "point"); }); // JupyterLab looks for the target's cell
  }
}

function render({ model, el }) {
  const pad = new PathPad(model, el), { svg } = pad;
  const hear = (event) => event.detail.room === model.get("room") && pad.look(event.detail.frame);
  svg.onpointerdown = (event) => pad.take(event);
  svg.onpointermove = (event) => pad.move(event);
  svg.onpointerup = () => pad.release();
  svg.onpointercancel = () => pad.drop();
  svg.onkeydown = (event) => pad.press(event);
  svg.addEventListener("focusin", (event) => pad.enter(event));
  document.addEventListener("xattn-frame", hear);
  model.on("change:value", () => {
    const { drawing } = pad, given = model.get("value");
    if (JSON.stringify(given) === JSON.stringify(drawing.value)) return;
    drawing.done.push(drawing.value);
    drawing.show(given);
    pad.draw();
  });
  model.on("change:film", () => pad.load());
  for (const name of ["words", "grids", "shape", "frames"]) model.on(`change:${name}`, () => pad.draw());
  pad.load();
  return () => document.removeEventListener("xattn-frame", hear);
}

export default { render };
