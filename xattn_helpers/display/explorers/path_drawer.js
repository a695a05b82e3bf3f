// The pad itself: a picture with an SVG over it, and buttons. Geometry is in paths.js.

const SVG = "http://www.w3.org/2000/svg";
const LITTLE = /^(a|an|the|on|in|at|of|and|to|with|near|is|it)$/i; // words that are no objects
const TWICE = 400; // milliseconds between two presses that are one double press
const UNIT = 1000; // of the SVG, in the height of the picture
const HELP = "Click to add a point, drag to draw. Points, dots (frames) and corners can be dragged, and a double click removes a point; or Tab to one, then "
  + "arrow keys move, + and − change the size, Delete removes, Ctrl+Z undoes. On the picture, Enter adds a point.";

function shape(name, attributes) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}

function render({ model, el }) {
  el.classList.add("xattn-pad");
  keepKeys(el);
  const objectsBar = element("div", { class: "xattn-bar", role: "group", "aria-label": "objects" });
  const stage = element("div", { class: "xattn-stage" });
  const picture = element("canvas", { role: "img", "aria-label": "the unguided clip" });
  const svg = shape("svg", { tabindex: 0, role: "application", "aria-label": `path drawing. ${HELP}` });
  const tools = element("div", { class: "xattn-bar" });
  const help = element("details", {});
  help.append(element("summary", {}, "How to draw"), element("p", {}, HELP));
  stage.append(picture, svg);
  el.append(objectsBar, stage, tools, help);

  let value = structuredClone(model.get("value")), selected = 0, point = 0, frame = 0;
  let undone = [], done = [], drag = null, pressed = { point: -1, time: 0 }, bitmap = null, grid = "";
  const frames = () => model.get("frames");
  const ratio = () => model.get("width") / model.get("height");
  const color = (index) => model.get("colors")[index % model.get("colors").length];
  const current = () => value[selected];
  const times = (object) => Array.from({ length: frames() }, (_, index) => timeOf(object, index, frames()));

  function send() {
    model.set("value", structuredClone(value));
    model.save_changes();
  }

  // A change that can be undone: the value before it is kept.
  function commit(before) {
    done.push(before);
    undone = [];
    send();
    draw();
  }

  function change(action) {
    const before = structuredClone(value);
    action();
    commit(before);
  }

  function step(from, to) {
    if (!from.length) return;
    to.push(value);
    value = from.pop();
    selected = Math.min(selected, value.length - 1);
    point = 0;
    send();
    draw();
  }

  function addPoint(place, index = current().points.length) {
    const object = current();
    const size = object.sizes[Math.min(index, object.sizes.length) - 1] || object.sizes[0] || model.get("side");
    object.points.splice(index, 0, rounded(place));
    object.sizes.splice(index, 0, [...size]);
    object.times = null;
    point = index;
  }

  function removePoint() {
    const object = current();
    if (!object.points.length) return;
    change(() => {
      object.points.splice(point, 1);
      object.sizes.splice(point, 1);
      object.times = null;
      point = clamp(point, 0, Math.max(0, object.points.length - 1));
    });
  }

  function movePoint(index, place) {
    current().points[index] = rounded([clamp(place[0]), clamp(place[1])]);
  }

  function resize(index, size) {
    current().sizes[index] = rounded(size.map((side) => clamp(side, SMALLEST, 1)));
  }

  function moveDot(index, share) {
    const object = current();
    object.times = retimed(times(object), index, share).map((time) => Math.round(time * 1000) / 1000);
  }

  // Pointer: what is under it when it goes down says what it does.

  function placeOf(event) {
    const area = svg.getBoundingClientRect();
    return [clamp((event.clientX - area.left) / area.width), clamp((event.clientY - area.top) / area.height)];
  }

  svg.onpointerdown = (event) => {
    if (event.button) return;
    event.preventDefault();
    svg.setPointerCapture(event.pointerId);
    const { part = "ground", index = "0", object = selected } = event.target.dataset;
    const place = placeOf(event);
    if (Number(object) !== selected) point = 0;
    selected = Number(object);
    drag = { part, index: Number(index), before: structuredClone(value), line: [place], moved: false };
    if (part === "point") point = drag.index;
    if (part === "dot") frame = drag.index;
    if (part === "line") {
      drag.index = Math.ceil(nearestShare(current().points, place) * (current().points.length - 1)) || 1;
      addPoint(place, drag.index);
      drag.part = "point";
      drag.moved = true;
    }
    draw(part === "ground" || part === "line" ? "" : `${part}-${index}`);
  };

  svg.onpointermove = (event) => {
    if (!drag) return;
    const place = placeOf(event), [x, y] = drag.line[0];
    drag.moved ||= Math.hypot(place[0] - x, place[1] - y) > STILL / 2;
    if (!drag.moved) return;
    const object = current();
    if (drag.part === "point") movePoint(drag.index, place);
    if (drag.part === "dot") moveDot(drag.index, nearestShare(object.points, place));
    if (drag.part === "corner") {
      const [cx, cy] = object.points[drag.index];
      const size = [2 * Math.abs(place[0] - cx), 2 * Math.abs(place[1] - cy)];
      resize(drag.index, event.shiftKey ? size : [Math.max(...size), Math.max(...size)]);
    }
    if (drag.part === "ground") drag.line.push(place);
    draw();
  };

  svg.onpointerup = () => {
    if (!drag) return;
    const { part, line, before, moved } = drag;
    drag = null;
    if (part === "ground" && value.length) {
      if (moved) resample(line, FREEHAND).forEach((place) => addPoint(place));
      else addPoint(line[0]);
      commit(before);
      focus(`point-${point}`);
    } else if (moved) commit(before);
    else if (part === "point" && point === pressed.point && performance.now() - pressed.time < TWICE) removePoint();
    else draw();
    pressed = { point: part === "point" && !moved ? point : -1, time: performance.now() };
  };
  svg.onpointercancel = () => { if (drag) value = drag.before; drag = null; draw(); };

  // Keyboard: of the part that has the focus.

  svg.onkeydown = (event) => {
    const { part = "ground", index: text } = event.target.dataset, index = Number(text);
    const by = event.shiftKey ? LEAP : NUDGE, key = event.key, object = current();
    const arrows = { ArrowLeft: [-by, 0], ArrowRight: [by, 0], ArrowUp: [0, -by], ArrowDown: [0, by] };
    let action = null;
    if ((event.ctrlKey || event.metaKey) && key.toLowerCase() === "z") {
      action = () => (event.shiftKey ? step(undone, done) : step(done, undone));
    } else if ((event.ctrlKey || event.metaKey) && key.toLowerCase() === "y") action = () => step(undone, done);
    else if (!object) return;
    else if (key === "Enter") action = () => change(() => addPoint(object.points.at(-1) || [0.5, 0.5]));
    else if (key in arrows && part === "point") {
      const place = object.points[index].map((side, axis) => side + arrows[key][axis]);
      action = () => change(() => movePoint(index, place));
    } else if (key in arrows && part === "dot") {
      const share = times(object)[index] + (arrows[key][0] || -arrows[key][1]);
      action = () => change(() => moveDot(index, share));
    } else if ("+=-".includes(key) && part === "point") {
      const size = object.sizes[index].map((side) => side + (key === "-" ? -by : by));
      action = () => change(() => resize(index, size));
    } else if ((key === "Delete" || key === "Backspace") && part === "point") {
      action = () => { point = index; removePoint(); };
    }
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    if (part === "point") point = index;
    action();
    focus(key === "Enter" || key === "Delete" || key === "Backspace" ? `point-${point}` : `${part}-${index}`);
  };
  svg.addEventListener("focusin", (event) => {
    const { part, index } = event.target.dataset;
    const key = event.target.dataset.key;
    if (part === "point" && Number(index) !== point) point = Number(index);
    else if (part !== "dot" || Number(index) === frame) return;
    else frame = Number(index); // whose box and target are shown
    setTimeout(() => { paint(); draw(key, part === "point"); }); // later: JupyterLab looks for the cell of the target
  });

  function focus(key) {
    svg.querySelector(`[data-key="${key}"]`)?.focus({ preventScroll: true });
  }

  // Drawing: all of the SVG anew, and the part that had the focus gets it back.

  function draw(key = document.activeElement?.dataset?.key, bars = true) {
    const width = UNIT * ratio();
    svg.setAttribute("viewBox", `0 0 ${width} ${UNIT}`);
    svg.replaceChildren();
    if (grid && current()?.points.length) drawCells(width);
    value.forEach((object, index) => index !== selected && drawObject(object, index, width));
    if (current()) drawObject(current(), selected, width);
    if (key) focus(key);
    if (bars) drawBars();
  }

  function drawCells(width) {
    const [, rows, columns] = model.get("grids").find(([label]) => label === grid);
    const [high, wide] = [UNIT / rows, width / columns];
    for (const [row, column] of cellsOf(current(), frame, frames(), rows, columns, model.get("shape"))) {
      const look = { x: column * wide, y: row * high, width: wide, height: high, class: "xattn-cell" };
      svg.append(shape("rect", { ...look, fill: color(selected) }));
    }
  }

  function drawBox(corners, index, width, name) {
    const [x0, y0, x1, y1] = corners;
    const look = { x: x0 * width, y: y0 * UNIT, width: (x1 - x0) * width, height: (y1 - y0) * UNIT };
    svg.append(shape("rect", { ...look, class: `xattn-box xattn-halo` }));
    svg.append(shape("rect", { ...look, class: `xattn-box ${name}`, stroke: color(index) }));
  }

  function handle(part, index, object, [x, y], radius, label, width) {
    const data = { "data-part": part, "data-index": index, "data-object": object, "data-key": `${part}-${index}` };
    const look = { cx: x * width, cy: y * UNIT, class: `xattn-${part}`, fill: color(object) };
    const active = object === selected;
    if (active && part === "point" && index === point) look.class += " xattn-chosen";
    svg.append(shape("circle", { ...look, ...data, "data-key": "", r: radius * 2, class: "xattn-hit" }));
    const name = active ? { tabindex: 0, role: "button", "aria-label": label } : { "aria-hidden": true };
    svg.append(shape("circle", { ...look, ...data, ...name, "data-key": active ? data["data-key"] : "", r: radius }));
  }

  function drawObject(object, index, width) {
    const count = object.points.length, active = index === selected;
    if (!count) return;
    const way = object.points.map(([x, y]) => `${x * width},${y * UNIT}`).join(" ");
    const line = { points: way, fill: "none", "data-part": "line", "data-object": index };
    svg.append(shape("polyline", { points: way, fill: "none", class: "xattn-way xattn-halo" }));
    svg.append(shape("polyline", { points: way, fill: "none", class: "xattn-way", stroke: color(index) }));
    svg.append(shape("polyline", { ...line, class: "xattn-hitline" }));
    drawBox(boxOf(object, frame, frames()), index, width, "");
    if (count > 1) {
      for (let dot = 0; dot < frames(); dot++) {
        const place = along(object.points, timeOf(object, dot, frames()));
        handle("dot", dot, index, place, 11, `${object.word}, frame ${dot + 1} of ${frames()}`, width);
      }
    }
    object.points.forEach((place, number) =>
      handle("point", number, index, place, 20, `${object.word}, point ${number + 1} of ${count}`, width));
    if (!active || !object.points[point]) return;
    const [[x, y], [wide, high]] = [object.points[point], object.sizes[point]];
    const corners = [x - wide / 2, y - high / 2, x + wide / 2, y + high / 2];
    drawBox(corners, index, width, "xattn-dashed");
    const data = { "data-part": "corner", "data-index": point, "data-object": index, class: "xattn-corner" };
    const place = { x: clamp(corners[2]) * width - 24, y: clamp(corners[3]) * UNIT - 24, width: 48, height: 48 };
    svg.append(shape("rect", { ...data, ...place, fill: color(index) }));
  }

  function button(text, label, action, disabled = false) {
    const node = element("button", { type: "button", "aria-label": label, title: label }, text);
    node.disabled = disabled;
    node.onclick = action;
    return node;
  }

  function drawBars() {
    const active = document.activeElement?.getAttribute?.("data-tool");
    const object = current();
    const tabs = value.map((entry, index) => {
      const tab = element("span", { class: `xattn-tab${index === selected ? " xattn-on" : ""}` });
      const pick = button("●", `edit the path of ${entry.word}`, () => { selected = index; point = 0; draw(); });
      pick.style.color = color(index);
      pick.setAttribute("aria-pressed", index === selected);
      const word = element("select", { "aria-label": "word of the object" });
      for (const name of new Set([entry.word, ...model.get("words")])) word.append(element("option", {}, name));
      word.value = entry.word;
      word.onchange = () => change(() => { entry.word = word.value; });
      tab.append(pick, word);
      return tab;
    });
    const add = button("+ object", "another object with a path of its own", () => change(() => {
      const free = (name) => !LITTLE.test(name) && !value.some((entry) => entry.word === name);
      const spare = model.get("words").find(free);
      value.push({ word: spare || object?.word || "", points: [], sizes: [], times: null });
      [selected, point] = [value.length - 1, 0];
    }));
    const remove = button("− object", "remove this object", () => change(() => {
      value.splice(selected, 1);
      [selected, point] = [0, 0];
    }), value.length < 2);
    objectsBar.replaceChildren(...tabs, add, remove);

    const chosen = object?.sizes[point];
    const size = element("input", { type: "range", min: SMALLEST, max: 1, step: 0.01, "aria-label": "size" });
    size.value = chosen ? Math.max(...chosen) : 0;
    size.disabled = !chosen;
    let before = null;
    size.oninput = () => {
      before ||= structuredClone(value);
      const times = Number(size.value) / Math.max(...current().sizes[point]);
      resize(point, current().sizes[point].map((side) => side * times));
      draw("", false); // while a slider is dragged, it must stay the same element
    };
    size.onchange = () => before && commit(before);
    const label = element("label", {}, "size ");
    label.append(size);
    const maps = element("select", { "aria-label": "target at the size of maps" });
    maps.append(element("option", { value: "" }, "no target"));
    for (const [name] of model.get("grids")) maps.append(element("option", { value: name }, `target ${name}`));
    maps.value = grid;
    maps.onchange = () => { grid = maps.value; draw(); };
    tools.replaceChildren(
      button("↶", "undo", () => step(done, undone), !done.length),
      button("↷", "redo", () => step(undone, done), !undone.length),
      button("Clear", "remove all points of this object", () => change(() => {
        Object.assign(current(), { points: [], sizes: [], times: null });
        point = 0;
      }), !object?.points.length),
      button("− point", "remove the chosen point", removePoint, !object?.points.length),
      button("Even speed", "all frames at even times again", () => change(() => { object.times = null; }), !object?.times),
      label, maps,
    );
    [...objectsBar.querySelectorAll("button, select"), ...tools.querySelectorAll("button, select, input")]
      .forEach((node, index) => node.setAttribute("data-tool", index));
    if (active) el.querySelector(`[data-tool="${active}"]`)?.focus({ preventScroll: true });
  }

  async function load() {
    bitmap = await readFilm(model.get("film"));
    [picture.width, picture.height] = [model.get("width"), model.get("height")];
    paint();
    draw();
  }

  function paint() {
    const pen = picture.getContext("2d");
    pen.fillStyle = "#ebebeb";
    pen.fillRect(0, 0, picture.width, picture.height);
    if (bitmap) paintFrame(picture, bitmap, Math.min(frame, model.get("count") - 1), model.get("columns"));
  }

  function look(index) {
    if (index === frame) return;
    frame = Math.min(index, frames() - 1);
    paint();
    if (!drag) draw(undefined, false);
  }

  function listen(event) {
    if (event.detail.room === model.get("room")) look(event.detail.frame);
  }

  document.addEventListener("xattn-frame", listen);
  model.on("change:value", () => {
    const given = model.get("value");
    if (JSON.stringify(given) === JSON.stringify(value)) return;
    done.push(value);
    value = structuredClone(given);
    selected = clamp(selected, 0, Math.max(0, value.length - 1));
    point = 0;
    draw();
  });
  model.on("change:film", load);
  for (const name of ["words", "grids", "shape", "frames"]) model.on(`change:${name}`, () => draw());
  grid = model.get("grids")[0]?.[0] || "";
  load();
  return () => document.removeEventListener("xattn-frame", listen);
}

export default { render };
