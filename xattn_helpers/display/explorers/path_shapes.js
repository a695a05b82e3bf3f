// What is drawn over the picture of a pad, as SVG: targets, boxes, ways, and what can be taken hold of.

const SVG = "http://www.w3.org/2000/svg";
const UNIT = 1000; // of the SVG, in the height of the picture

function shape(name, attributes) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}

// The cells of the maps in which the chosen object is asked to be.
function drawCells(pad, width) {
  const [, rows, columns] = pad.model.get("grids").find(([label]) => label === pad.grid);
  const [high, wide] = [UNIT / rows, width / columns], { object, selected } = pad.drawing;
  for (const [row, column] of cellsOf(object, pad.frame, pad.frames(), rows, columns, pad.model.get("shape"))) {
    const look = { x: column * wide, y: row * high, width: wide, height: high, class: "xattn-cell" };
    pad.svg.append(shape("rect", { ...look, fill: pad.color(selected) }));
  }
}

function drawBox(pad, corners, index, width, name) {
  const [x0, y0, x1, y1] = corners;
  const look = { x: x0 * width, y: y0 * UNIT, width: (x1 - x0) * width, height: (y1 - y0) * UNIT };
  pad.svg.append(shape("rect", { ...look, class: "xattn-box xattn-halo" }));
  pad.svg.append(shape("rect", { ...look, class: `xattn-box ${name}`, stroke: pad.color(index) }));
}

// A point or a dot, with a larger circle around it for fingers; those of the chosen object can be reached by Tab.
function drawHandle(pad, part, index, object, [x, y], radius, label, width) {
  const { selected, point } = pad.drawing, active = object === selected, key = active ? `${part}-${index}` : "";
  const data = { "data-part": part, "data-index": index, "data-object": object };
  const look = { ...data, cx: x * width, cy: y * UNIT, fill: pad.color(object) };
  const name = active ? { tabindex: 0, role: "button", "aria-label": label } : { "aria-hidden": true };
  const chosen = active && part === "point" && index === point ? " xattn-chosen" : "";
  pad.svg.append(shape("circle", { ...look, r: radius * 2, class: "xattn-hit" }));
  pad.svg.append(shape("circle", { ...look, ...name, r: radius, class: `xattn-${part}${chosen}`, "data-key": key }));
}

function drawWay(pad, object, index, width) {
  const points = object.points.map(([x, y]) => `${x * width},${y * UNIT}`).join(" "), look = { points, fill: "none" };
  pad.svg.append(shape("polyline", { ...look, class: "xattn-way xattn-halo" }));
  pad.svg.append(shape("polyline", { ...look, class: "xattn-way", stroke: pad.color(index) }));
  pad.svg.append(shape("polyline", { ...look, class: "xattn-hitline", "data-part": "line", "data-object": index }));
}

// The box at the chosen point, and its corner.
function drawChosen(pad, width) {
  const { object, selected, point } = pad.drawing;
  if (!object.points[point]) return;
  const [[x, y], [wide, high]] = [object.points[point], object.sizes[point]];
  const corners = [x - wide / 2, y - high / 2, x + wide / 2, y + high / 2];
  drawBox(pad, corners, selected, width, "xattn-dashed");
  const data = { "data-part": "corner", "data-index": point, "data-object": selected, class: "xattn-corner" };
  const place = { x: clamp(corners[2]) * width - 24, y: clamp(corners[3]) * UNIT - 24, width: 48, height: 48 };
  pad.svg.append(shape("rect", { ...data, ...place, fill: pad.color(selected) }));
}

function drawObject(pad, object, index, width) {
  const count = object.points.length, frames = pad.frames();
  if (!count) return;
  drawWay(pad, object, index, width);
  drawBox(pad, boxOf(object, pad.frame, frames), index, width, "");
  for (let dot = 0; count > 1 && dot < frames; dot++) {
    const place = along(object.points, timeOf(object, dot, frames));
    drawHandle(pad, "dot", dot, index, place, 11, `${object.word}, frame ${dot + 1} of ${frames}`, width);
  }
  object.points.forEach((place, number) =>
    drawHandle(pad, "point", number, index, place, 20, `${object.word}, point ${number + 1} of ${count}`, width));
  if (index === pad.drawing.selected) drawChosen(pad, width);
}
