// <xattn-video>: one or several videos side by side, under one bar. Inside it stands a table of animated pictures.
(() => {
  if (customElements.get("xattn-video")) return;
  const { Player, make, canvas, framesOf } = globalThis.xattn;

  customElements.define("xattn-video", class extends Player {
    async prepare() {
      this.videos = [];
      const images = [...this.querySelectorAll("img")];
      const decoded = await Promise.all(images.map(framesOf));
      const columns = Math.min(Number(this.dataset.columns) || images.length, images.length);
      images.forEach((image, index) => {
        const frames = decoded[index];
        const picture = canvas(image.naturalWidth, image.naturalHeight, image.alt);
        const caption = image.parentElement.querySelector("div")?.textContent;
        const width = `${image.getAttribute("width") || image.naturalWidth}px`;
        const figure = make("figure", { style: `width: ${columns > 1 ? `min(${width}, calc(50% - 4px))` : width}` });
        if (caption) figure.append(make("figcaption", {}, caption));
        figure.append(picture);
        this.stage.append(figure);
        this.videos.push({ frames, context: picture.getContext("2d") });
      });
      const width = Number(images[0].getAttribute("width"));
      if (width) this.stage.style.maxWidth = `${columns * (width + 8)}px`;
      return Math.max(...decoded.map((frames) => frames.length));
    }

    // A shorter video waits in its last frame for the others.
    draw(frame) {
      for (const { frames, context } of this.videos) {
        context.drawImage(frames[Math.min(frame, frames.length - 1)], 0, 0);
      }
    }
  });
})();
