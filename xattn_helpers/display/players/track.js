// <xattn-track>: videos of an object that was guided along ready-made paths; a click on a path shows its video.
(() => {
  if (customElements.get("xattn-track")) return;
  const { Player, make, canvas, framesOf } = globalThis.xattn;
  const SIDE = 280;
  const SVG = "http://www.w3.org/2000/svg";

  const frame = ([left, top, right, bottom], dashes) =>
    `<rect x="${100 * left}" y="${100 * top}" width="${100 * (right - left)}" height="${100 * (bottom - top)}"
      fill="none" stroke="currentColor" stroke-width="2" stroke-dasharray="${dashes}"/>`;

  // A path as a drawing in a square: the box of the first frame and, with dashes, of the last; the way of its centre.
  function drawing(boxes) {
    const svg = document.createElementNS(SVG, "svg");
    const centres = boxes.map(([left, top, right, bottom]) => [50 * (left + right), 50 * (top + bottom)]);
    const [x, y] = centres[centres.length - 1];
    svg.setAttribute("viewBox", "0 0 100 100");
    svg.setAttribute("aria-hidden", "true");
    svg.innerHTML = `${frame(boxes[0], "")}${frame(boxes[boxes.length - 1], "5 4")}<polyline points="${centres.join(" ")}" fill="none"
      stroke="currentColor" stroke-width="5"/><circle cx="${x}" cy="${y}" r="8" fill="currentColor"/>`;
    return svg;
  }

  customElements.define("xattn-track", class extends Player {
    async prepare() {
      this.stage.classList.add("together"); // in one row, however narrow
      this.data = JSON.parse(this.querySelector("script").textContent);
      const images = [...this.querySelectorAll("img")];
      const [own, ...guided] = images;
      [this.own, ...this.guided] = await Promise.all(images.map(framesOf));
      this.free = this.add("without guidance", own);
      this.led = this.add("guided", guided[0]);
      this.descriptions = guided.map((image) => image.alt);
      this.chosen = 0;
      this.controls = this.makeControls();
      return this.own.length;
    }

    add(name, image) {
      const picture = canvas(image.naturalWidth, image.naturalHeight, image.alt);
      this.stage.append(make("figure", { style: `width: ${SIDE}px` }, make("figcaption", {}, name), picture));
      return picture.getContext("2d");
    }

    makeControls() {
      const paths = make("div", { class: "choices", role: "group", "aria-label": "path" });
      this.buttons = this.data.map(({ name, boxes }, index) => {
        const button = make("button", { type: "button", title: name, "aria-label": name }, drawing(boxes));
        button.style.cssText = "width: 56px; height: 56px; padding: 2px";
        button.addEventListener("click", () => this.choose(index));
        paths.append(button);
        return button;
      });
      this.message = make("p", { class: "message", "aria-live": "polite" });
      this.box = make("input", { type: "checkbox" });
      this.box.checked = true;
      this.box.addEventListener("change", () => this.draw(this.frame));
      const all = make("div");
      all.append(paths, this.message, make("label", {}, this.box, "show where it was asked to be"));
      return all;
    }

    choose(index) {
      this.chosen = index;
      this.led.canvas.setAttribute("aria-label", this.descriptions[index]);
      this.draw(this.frame);
    }

    draw(frame) {
      const { name, boxes, measured } = this.data[this.chosen];
      this.buttons.forEach((button, index) => button.setAttribute("aria-pressed", index === this.chosen));
      this.message.textContent = measured ? `${name}: ${measured}` : name;
      this.free.drawImage(this.own[frame], 0, 0);
      this.led.drawImage(this.guided[this.chosen][frame], 0, 0);
      if (!this.box.checked) return;
      const { width, height } = this.led.canvas;
      const [left, top, right, bottom] = boxes[frame];
      for (const [colour, thick] of [["black", 4], ["white", 2]]) {
        this.led.strokeStyle = colour;
        this.led.lineWidth = thick;
        this.led.strokeRect(left * width, top * height, (right - left) * width, (bottom - top) * height);
      }
    }
  });
})();
