// <xattn-swap>: a video before and after a swap in one picture, with a line that can be moved, beside the source.
(() => {
  if (customElements.get("xattn-swap")) return;
  const { Player, make, canvas, framesOf } = globalThis.xattn;
  const SIDE = 280;

  customElements.define("xattn-swap", class extends Player {
    async prepare() {
      this.stage.classList.add("together"); // in one row, however narrow
      const images = [...this.querySelectorAll("img")];
      [this.source, this.before, this.after] = await Promise.all(images.map(framesOf));
      const [source, before, after] = images;
      this.context = this.add("source", this.dataset.source, source, source.alt);
      this.both = this.add("before | after", this.dataset.caption, before, `left of the line ${before.alt}; right of it ${after.alt}`);
      this.line = make("input", { type: "range", min: 0, max: 100, value: 50, "aria-label": "before and after" });
      this.line.style.width = "100%";
      this.line.addEventListener("input", () => this.draw(this.frame));
      this.both.canvas.after(this.line);
      this.drag(this.both.canvas);
      return this.before.length;
    }

    add(name, caption, { naturalWidth, naturalHeight }, description) {
      const picture = canvas(naturalWidth, naturalHeight, description);
      const words = make("figcaption", {}, make("strong", {}, name), make("br"), caption);
      this.stage.append(make("figure", { style: `width: ${SIDE}px; align-self: flex-start` }, words, picture));
      return picture.getContext("2d");
    }

    // The line also follows a mouse or a finger on the picture.
    drag(picture) {
      picture.style.cursor = "ew-resize";
      picture.style.touchAction = "pan-y";
      const move = (event) => {
        if (!event.buttons) return;
        const { left, width } = picture.getBoundingClientRect();
        this.line.value = (100 * (event.clientX - left)) / width;
        this.draw(this.frame);
      };
      picture.addEventListener("pointerdown", move);
      picture.addEventListener("pointermove", move);
    }

    draw(frame) {
      const { width, height } = this.both.canvas;
      const at = Math.round((width * this.line.value) / 100);
      this.line.setAttribute("aria-valuetext", `${this.line.value} % before, ${100 - this.line.value} % after`);
      this.context.drawImage(this.source[frame], 0, 0);
      this.both.drawImage(this.after[frame], 0, 0);
      if (at > 0) this.both.drawImage(this.before[frame], 0, 0, at, height, 0, 0, at, height);
      this.both.fillStyle = "white";
      this.both.fillRect(at - 1, 0, 2, height);
      this.both.fillStyle = "black";
      this.both.fillRect(at, 0, 1, height);
    }
  });
})();
