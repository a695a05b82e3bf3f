// A player: all frames come once, as one picture with a grid of them; playing asks nothing of the kernel.
// The traits are those of `Film` in film.py. While it plays, the frame is told to the widgets of the same `room` by an
// event of the document; the kernel hears of it when it stops.

const SPEEDS = [["¼", 0.25], ["½", 0.5], ["1", 1], ["2", 2]];

// Boxes and paths over a frame. A mark is {left, width, color, asked, seen, path}; left and width are shares of the picture,
// boxes shares of that part.
export function paintMarks(canvas, marks, index) {
  const pen = canvas.getContext("2d");
  pen.clearRect(0, 0, canvas.width, canvas.height);
  for (const mark of marks) {
    const place = (x, y) => [(mark.left + x * mark.width) * canvas.width, y * canvas.height];
    const box = (corners, dash, color) => {
      if (!corners) return;
      const [x0, y0] = place(corners[0], corners[1]), [x1, y1] = place(corners[2], corners[3]);
      pen.setLineDash(dash);
      for (const [line, wide] of [["#fff", 4], [color, 2]]) {
        pen.strokeStyle = line;
        pen.lineWidth = wide;
        pen.strokeRect(x0, y0, x1 - x0, y1 - y0);
      }
    };
    box(mark.asked && mark.asked[index], [], mark.color);
    box(mark.seen && mark.seen[index], [5, 5], mark.color);
    pen.setLineDash([]);
    pen.fillStyle = mark.color;
    pen.strokeStyle = "#fff";
    pen.lineWidth = 1;
    (mark.seen || []).slice(0, index + 1).forEach((corners) => {
      if (!corners) return;
      const [x, y] = place((corners[0] + corners[2]) / 2, (corners[1] + corners[3]) / 2);
      pen.beginPath();
      pen.arc(x, y, 3.5, 0, 7);
      pen.fill();
      pen.stroke();
    });
  }
}

// Copy a text, also where the browser has no clipboard for a page.
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = element("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    return copied;
  }
}

function render({ model, el }) {
  el.classList.add("xattn-film");
  keepKeys(el);
  const titles = element("div", { class: "xattn-titles" });
  const stage = element("div", { class: "xattn-stage", role: "img" });
  const picture = element("canvas"), marks = element("canvas", { class: "xattn-marks" });
  const bar = element("div", { class: "xattn-bar" });
  const play = element("button", { type: "button", class: "xattn-play", "aria-label": "play" }, "Play");
  const slider = element("input", { type: "range", min: 0, step: 1, "aria-label": "frame" });
  const number = element("output");
  const speed = element("select", { "aria-label": "speed" });
  for (const [text, value] of SPEEDS) speed.append(element("option", { value }, `${text} ×`));
  speed.value = 1;
  const copy = element("button", { type: "button", class: "xattn-copy" }, "Copy code");
  const note = element("div", { class: "xattn-stale" }, "The controls have changed since: press Run.");
  stage.append(picture, marks);
  bar.append(play, slider, number, speed, copy);
  el.append(titles, stage, note, bar);

  let bitmap = null, hasPlayed = false, frame = model.get("frame"), timer = null;

  function paint() {
    const count = model.get("count");
    slider.max = count - 1;
    slider.value = frame;
    slider.disabled = play.disabled = speed.disabled = count < 2;
    number.textContent = `frame ${frame + 1} of ${count}`;
    if (!bitmap) return;
    paintFrame(picture, bitmap, frame, model.get("columns"));
    paintMarks(marks, model.get("marks"), frame);
  }

  function go(index, tell) {
    const count = model.get("count");
    frame = Math.min(Math.max(index, 0), count - 1);
    paint();
    document.dispatchEvent(new CustomEvent("xattn-frame", { detail: { room: model.get("room"), frame } }));
    if (tell && model.get("frame") !== frame) {
      model.set("frame", frame);
      model.save_changes();
    }
  }

  function name(text) {
    play.textContent = text;
    play.setAttribute("aria-label", text.toLowerCase());
  }

  function stop() {
    clearInterval(timer);
    timer = null;
    name("Play");
    go(frame, true);
  }

  function start() {
    hasPlayed = true;
    clearInterval(timer);
    name("Pause");
    const pause = 1000 / (model.get("rate") * Number(speed.value));
    timer = setInterval(() => go((frame + 1) % model.get("count"), false), pause);
  }

  async function load() {
    bitmap = await readFilm(model.get("film"));
    stage.style.display = titles.style.display = bar.style.display = bitmap ? "" : "none";
    const [width, height] = [model.get("width"), model.get("height")];
    [picture.width, picture.height] = [width, height];
    const wide = Math.min(width * 3, 960);
    [marks.width, marks.height] = [wide, Math.round((wide * height) / width)];
    stage.style.maxWidth = titles.style.maxWidth = bar.style.maxWidth = `${wide}px`;
    titles.replaceChildren(...model.get("titles").map((title) => element("div", {}, title)));
    frame = Math.min(frame, model.get("count") - 1);
    const plays = model.get("plays") && (timer || !hasPlayed); // who has paused it wants it to stay so
    if (bitmap && plays && model.get("count") > 1) start();
    paint();
  }

  function mark() {
    const stale = model.get("stale");
    el.classList.toggle("xattn-is-stale", stale);
    note.style.display = stale && bitmap ? "" : "none";
    copy.style.display = model.get("code") ? "" : "none";
    stage.setAttribute("aria-label", model.get("alt"));
  }

  play.onclick = () => (timer ? stop() : start());
  slider.oninput = () => { clearInterval(timer); timer = null; name("Play"); go(Number(slider.value), false); };
  slider.onchange = () => stop();
  speed.onchange = () => timer && start();
  copy.onclick = async () => {
    copy.textContent = (await copyText(model.get("code"))) ? "Copied" : "Not copied";
    setTimeout(() => { copy.textContent = "Copy code"; }, 1500);
  };
  model.on("change:film", async () => { await load(); mark(); });
  model.on("change:frame", () => { if (!timer && model.get("frame") !== frame) go(model.get("frame"), false); });
  for (const name of ["stale", "alt", "code"]) model.on(`change:${name}`, mark);
  model.on("change:marks", paint);
  load().then(mark);
  return () => clearInterval(timer);
}

export default { render };
