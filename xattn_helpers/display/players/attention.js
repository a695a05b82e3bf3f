// <xattn-attention>: the maps of a word over a video, by word, step, group of layers and frame.
//
// Maps are stored as grey pictures, one for each word and group: a row of frames for each step, each map as small as
// the model has it. White is the highest number of that picture, which `peaks` has.
(() => {
  if (customElements.get("xattn-attention")) return;
  const { Player, make, canvas, choice, framesOf } = globalThis.xattn;
  const SIDE = 240;

  // Some colours of matplotlib's magma; the rest lies between them.
  const MAGMA = [[0, 0, 4], [28, 16, 68], [79, 18, 123], [129, 37, 129], [181, 54, 122], [229, 80, 100],
    [251, 135, 97], [254, 194, 135], [252, 253, 191]];
  const colour = (value) => {
    const place = value * (MAGMA.length - 1);
    const below = Math.min(Math.floor(place), MAGMA.length - 2);
    return MAGMA[below].map((part, index) => part + (place - below) * (MAGMA[below + 1][index] - part));
  };

  customElements.define("xattn-attention", class extends Player {
    async prepare() {
      this.stage.classList.add("together"); // in one row, however narrow
      this.data = JSON.parse(this.querySelector("script").textContent);
      this.sheets = new Map();
      const image = this.querySelector("img");
      this.frames = await framesOf(image);
      const { naturalWidth: width, naturalHeight: height } = image;
      this.pictures = [["the video", image.alt], ["the map over it", ""], ["the map", ""]].map(([caption, description]) => {
        const picture = canvas(width, height, description || caption);
        this.stage.append(make("figure", { style: `width: ${SIDE}px` }, make("figcaption", {}, caption), picture));
        return picture;
      });
      this.controls = this.makeControls();
      await this.loadSheet();
      return this.frames.length;
    }

    makeControls() {
      const { words, groups, steps } = this.data;
      const names = (list) => list.map((name, index) => [index, name]);
      this.word = choice("word", names(words), this.data.word);
      this.group = choice("layers", names(groups), 0);
      this.when = make("input", { type: "range", min: 0, max: steps.length - 1, value: 0, "aria-label": "step" });
      this.whenText = make("span", { class: "count" });
      this.message = make("p", { class: "message", "aria-live": "polite" });
      for (const control of [this.word, this.group, this.when]) control.addEventListener("input", () => this.loadSheet());
      const row = make("div", { class: "choices", role: "group", "aria-label": "map" });
      row.append(make("label", {}, "word", this.word), make("label", {}, "layers", this.group));
      row.append(make("label", {}, "step", this.when), this.whenText);
      const all = make("div");
      all.append(row, this.message);
      return all;
    }

    // The pixels of the sheet of this word and group: read once.
    async loadSheet() {
      const key = `${this.word.value}-${this.group.value}`;
      if (!this.sheets.has(key)) {
        const image = new Image();
        image.src = this.data.sheets[this.word.value][this.group.value];
        await image.decode();
        const context = canvas(image.naturalWidth, image.naturalHeight).getContext("2d");
        context.drawImage(image, 0, 0);
        const { data, width } = context.getImageData(0, 0, image.naturalWidth, image.naturalHeight);
        this.sheets.set(key, { data, width });
      }
      this.sheet = this.sheets.get(key);
      const text = this.data.steps[this.when.value];
      this.whenText.textContent = text;
      this.when.setAttribute("aria-valuetext", text);
      if (this.frame !== undefined) this.draw(this.frame);
    }

    // The map of a frame as numbers from 0 to 1, row by row.
    values(frame) {
      const [rows, columns] = this.data.sizes[this.group.value];
      const left = this.data.at[this.group.value][frame] * columns; // a map may be about several frames
      const top = Number(this.when.value) * rows;
      return Array.from({ length: rows * columns }, (_, index) => {
        const [x, y] = [left + (index % columns), top + Math.floor(index / columns)];
        return this.sheet.data[4 * (y * this.sheet.width + x)] / 255;
      });
    }

    draw(frame) {
      const [rows, columns] = this.data.sizes[this.group.value];
      const values = this.values(frame);
      const small = canvas(columns, rows);
      const pixels = new ImageData(columns, rows);
      values.forEach((value, index) => pixels.data.set([...colour(value), 255], 4 * index));
      small.getContext("2d").putImageData(pixels, 0, 0);
      const [video, over, map] = this.pictures.map((picture) => picture.getContext("2d"));
      const { width, height } = video.canvas;
      video.drawImage(this.frames[frame], 0, 0);
      over.drawImage(this.frames[frame], 0, 0);
      over.globalAlpha = 0.6;
      over.drawImage(small, 0, 0, width, height);
      over.globalAlpha = 1;
      map.imageSmoothingEnabled = false;
      map.drawImage(small, 0, 0, width, height);
      this.say(Math.max(...values), rows, columns);
    }

    say(highest, rows, columns) {
      const word = this.data.words[this.word.value];
      const peak = highest * this.data.peaks[this.word.value][this.group.value];
      this.message.textContent = `“${word}”, ${rows} × ${columns}: at most ${peak.toFixed(2)} in this frame`;
      this.pictures[1].setAttribute("aria-label", `the attention map of “${word}” over the video`);
      this.pictures[2].setAttribute("aria-label", `the attention map of “${word}”`);
    }
  });
})();
