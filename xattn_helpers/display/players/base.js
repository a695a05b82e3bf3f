// What all players share: frames of a stored video, and a bar to play, pause, step and scrub them.
//
// A player is an element around what a page without scripts shows: an animated picture that loops. It works by itself
// in JupyterLab, on Colab (where each output is a page of its own) and on a static page, and loads nothing.
(() => {
  if (globalThis.xattn) return;

  const SPEEDS = [0.25, 0.5, 1, 2];
  const ICONS = {
    play: "M4 2v12l10-6z",
    pause: "M3 2h4v12H3zM9 2h4v12H9z",
    back: "M12 2v12L5 8zM3 2h2v12H3z",
    forward: "M4 2v12l7-6zM11 2h2v12h-2z",
  };
  const STYLE = `
    :host { display: block; margin: .25em 0; color: inherit; font: 14px/1.4 system-ui, sans-serif; }
    figure { margin: 0; max-width: 100%; min-width: 0; }
    figcaption { margin-bottom: 2px; text-align: center; overflow-wrap: anywhere; }
    canvas { display: block; width: 100%; height: auto; background: #8884; }
    .stage { display: flex; flex-wrap: wrap; align-items: flex-end; gap: 8px; }
    .together { flex-wrap: nowrap; }
    .bar, .choices { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 8px; margin-top: 6px; }
    .bar { max-width: 40em; }
    .bar .scrub { flex: 1 1 8em; min-width: 6em; }
    .count { min-width: 7.5em; font-variant-numeric: tabular-nums; }
    .message { margin: 4px 0 0; min-height: 1.4em; }
    button, select { box-sizing: border-box; min-width: 32px; height: 32px; padding: 0 6px; font: inherit;
      color: inherit; background: transparent; border: 1px solid #777; border-radius: 6px; cursor: pointer; }
    button[aria-pressed=true] { outline: 3px solid #1a73e8; outline-offset: -1px; }
    button svg { display: block; margin: auto; fill: currentColor; }
    option { color: CanvasText; background: Canvas; }
    input[type=range] { accent-color: #1a73e8; height: 32px; margin: 0; }
    label { display: inline-flex; align-items: center; gap: 6px; }
    :focus-visible { outline: 2px solid #1a73e8; outline-offset: 2px; }`;

  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }

  function icon(name) {
    const holder = make("span");
    holder.innerHTML = `<svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true"><path d="${ICONS[name]}"/></svg>`;
    return holder.firstChild;
  }

  function canvas(width, height, description) {
    const look = description ? { role: "img", "aria-label": description } : { "aria-hidden": "true" };
    return make("canvas", { width, height, ...look });
  }

  function choice(name, options, selected) {
    const select = make("select", { "aria-label": name });
    for (const [value, text] of options) select.append(make("option", { value }, text));
    select.value = selected;
    return select;
  }

  class Player extends HTMLElement {
    // A subclass has `prepare()`, which fills `this.stage` and returns the number of frames, and `draw(frame)`.
    connectedCallback() {
      if (this.stage) return;
      this.stage = make("div", { class: "stage" });
      this.setAttribute("data-lm-suppress-shortcuts", "true"); // keys of JupyterLab, while the player has the focus
      if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", () => this.begin());
      else this.begin();
    }

    async begin() {
      this.fps = Number(this.dataset.fps) || 8;
      try {
        this.count = await this.prepare();
      } catch (error) {
        console.warn("The player does not start; the picture stays as it is.", error);
        return;
      }
      this.frame = 0;
      this.speed = 1;
      const root = this.attachShadow({ mode: "open" });
      root.append(make("style", {}, STYLE), this.stage);
      if (this.count > 1) root.append(this.makeBar());
      if (this.controls) root.append(this.controls);
      this.show(0);
      if (this.count > 1) this.playWhenSeen();
      this.dataset.ready = "";
    }

    makeBar() {
      const bar = make("div", { class: "bar", role: "group", "aria-label": "video" });
      this.playButton = this.button("play", "play", () => (this.playing ? this.pause() : this.play()));
      this.scrub = make("input", {
        type: "range", class: "scrub", min: 0, max: this.count - 1, value: 0, "aria-label": "frame",
      });
      this.scrub.addEventListener("input", () => {
        this.pause();
        this.show(Number(this.scrub.value));
      });
      this.counter = make("span", { class: "count" });
      this.loop = make("input", { type: "checkbox" });
      this.loop.checked = true;
      const speeds = choice("speed", SPEEDS.map((speed) => [speed, `${speed}×`]), 1);
      speeds.addEventListener("change", () => (this.speed = Number(speeds.value)));
      const back = this.button("back", "one frame back", () => this.step(-1));
      const forward = this.button("forward", "one frame forward", () => this.step(1));
      bar.append(this.playButton, back, forward, this.scrub, this.counter, make("label", {}, this.loop, "loop"), speeds);
      return bar;
    }

    button(name, label, action) {
      const button = make("button", { type: "button", "aria-label": label, title: label }, icon(name));
      button.addEventListener("click", action);
      return button;
    }

    // Videos out of sight wait, and none begins by itself for whom asked the system for less motion.
    playWhenSeen() {
      const still = globalThis.matchMedia?.("(prefers-reduced-motion: reduce)").matches;
      this.wanted = !still;
      this.seen = new IntersectionObserver(([entry]) => {
        if (!entry.isIntersecting) this.stop();
        else if (this.wanted) this.play();
      });
      this.seen.observe(this);
    }

    show(frame) {
      this.frame = frame;
      this.draw(frame);
      if (!this.counter) return;
      this.scrub.value = frame;
      this.scrub.setAttribute("aria-valuetext", `frame ${frame + 1} of ${this.count}`);
      this.counter.textContent = `frame ${frame + 1} of ${this.count}`;
    }

    step(by) {
      this.pause();
      this.show((this.frame + by + this.count) % this.count);
    }

    play() {
      this.stop();
      this.wanted = true;
      if (this.frame === this.count - 1 && !this.loop.checked) this.show(0);
      this.setPlaying(true);
      const next = () => {
        if (this.frame === this.count - 1 && !this.loop.checked) return this.pause();
        this.show((this.frame + 1) % this.count);
        this.timer = setTimeout(next, 1000 / (this.fps * this.speed));
      };
      this.timer = setTimeout(next, 1000 / (this.fps * this.speed));
    }

    pause() {
      this.wanted = false;
      this.stop();
    }

    stop() {
      clearTimeout(this.timer);
      this.setPlaying(false);
    }

    setPlaying(playing) {
      this.playing = playing;
      const label = playing ? "pause" : "play";
      this.playButton?.replaceChildren(icon(label));
      this.playButton?.setAttribute("aria-label", label);
      this.playButton?.setAttribute("title", label);
    }
  }

  globalThis.xattn = { Player, make, canvas, choice };
})();
