// What the player and the drawing pad share. Python puts this text before theirs: a widget's JavaScript is one file.

function element(name, attributes = {}, text = "") {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.textContent = text;
  return node;
}

// Keys belong to what has the focus: JupyterLab would take letters as commands, and arrows from sliders.
function keepKeys(node) {
  node.setAttribute("data-lm-suppress-shortcuts", "true");
  node.addEventListener("keydown", (event) => event.stopPropagation());
}

// The frames of a grid as a bitmap; null where there is no film.
export async function readFilm(view) {
  if (!view || !view.byteLength) return null;
  return createImageBitmap(new Blob([view]));
}

// Paint one frame of a grid into a canvas of the size of a frame.
export function paintFrame(canvas, bitmap, index, columns) {
  const { width, height } = canvas;
  const left = (index % columns) * width, top = Math.floor(index / columns) * height;
  canvas.getContext("2d").drawImage(bitmap, left, top, width, height, 0, 0, width, height);
}

