// The buttons of a pad: above it the objects, below it what can be done with the chosen point.

function button(text, label, action, disabled = false) {
  const node = element("button", { type: "button", "aria-label": label, title: label }, text);
  node.disabled = disabled;
  node.onclick = action;
  return node;
}

function choice(label, options, value, action) {
  const node = element("select", { "aria-label": label });
  for (const [text, key] of options) node.append(element("option", { value: key }, text));
  node.value = value;
  node.onchange = () => action(node.value);
  return node;
}

// One tab for each object: a dot of its colour that chooses it, and its word.
function objectTabs(pad) {
  const { drawing, model } = pad;
  return drawing.value.map((entry, index) => {
    const isChosen = index === drawing.selected;
    const tab = element("span", { class: `xattn-tab${isChosen ? " xattn-on" : ""}` });
    const pick = button("●", `edit the path of ${entry.word}`, () => { drawing.select(index); pad.draw(); });
    pick.style.color = pad.color(index);
    pick.setAttribute("aria-pressed", isChosen);
    const names = [...new Set([entry.word, ...model.get("words")])].map((name) => [name, name]);
    const rename = (word) => drawing.change(() => { entry.word = word; });
    tab.append(pick, choice("word of the object", names, entry.word, rename));
    return tab;
  });
}

// The size of the chosen point; while it is dragged, the slider must stay the same element.
function sizeSlider(pad) {
  const { drawing } = pad, chosen = drawing.object?.sizes[drawing.point];
  const slider = element("input", { type: "range", min: SMALLEST, max: 1, step: 0.01, "aria-label": "size" });
  slider.value = chosen ? Math.max(...chosen) : 0;
  slider.disabled = !chosen;
  let before = null;
  slider.oninput = () => {
    before ||= structuredClone(drawing.value);
    const size = drawing.object.sizes[drawing.point], times = Number(slider.value) / Math.max(...size);
    drawing.resize(drawing.point, size.map((side) => side * times));
    pad.draw("", false);
  };
  slider.onchange = () => before && drawing.commit(before);
  const label = element("label", {}, "size ");
  label.append(slider);
  return label;
}

// Both bars anew; the button that had the focus gets it back.
function drawBars(pad, above, below) {
  const { drawing, model } = pad, object = drawing.object, hasPoints = Boolean(object?.points.length);
  const active = document.activeElement?.getAttribute?.("data-tool");
  above.replaceChildren(
    ...objectTabs(pad),
    button("+ object", "another object with a path of its own", () => drawing.addObject(model.get("words"))),
    button("− object", "remove this object", () => drawing.removeObject(), drawing.value.length < 2),
  );
  const evenly = () => drawing.change(() => { object.times = null; });
  const maps = [["no target", ""], ...model.get("grids").map(([name]) => [`target ${name}`, name])];
  below.replaceChildren(
    button("↶", "undo", () => drawing.undo(), !drawing.done.length),
    button("↷", "redo", () => drawing.redo(), !drawing.undone.length),
    button("Clear", "remove all points of this object", () => drawing.clear(), !hasPoints),
    button("− point", "remove the chosen point", () => drawing.removePoint(), !hasPoints),
    button("Even speed", "all frames at even times again", evenly, !object?.times),
    sizeSlider(pad),
    choice("target at the size of maps", maps, pad.grid, (name) => { pad.grid = name; pad.draw(); }),
  );
  const tools = [above, below].flatMap((bar) => [...bar.querySelectorAll("button, select, input")]);
  tools.forEach((node, index) => node.setAttribute("data-tool", index));
  if (active) tools[Number(active)]?.focus({ preventScroll: true });
}
