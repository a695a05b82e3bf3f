// The frames of an animated WebP, one by one. Browsers play such a picture and let nobody choose a frame, so its
// file is taken apart: every chunk "ANMF" holds a rectangle of the picture, and what is in it is nearly a WebP itself.
// The format: https://developers.google.com/speed/webp/docs/riff_container
(() => {
  if (globalThis.xattn.framesOf) return;

  const number = (bytes, at, length) => {
    let value = 0;
    for (let index = length - 1; index >= 0; index--) value = value * 256 + bytes[at + index];
    return value;
  };
  const letters = (text) => Array.from(text, (letter) => letter.charCodeAt(0));
  const little = (value, length) => Array.from({ length }, (_, index) => Math.floor(value / 256 ** index) % 256);

  function* chunks(bytes, at) {
    while (at + 8 <= bytes.length) {
      const size = number(bytes, at + 4, 4);
      yield { name: String.fromCharCode(...bytes.subarray(at, at + 4)), start: at + 8, end: at + 8 + size };
      at += 8 + size + (size % 2);
    }
  }

  // One rectangle as a file of its own: with a header that says so, where it has transparency.
  function still(data, width, height) {
    const alpha = String.fromCharCode(...data.subarray(0, 4)) === "ALPH";
    const size = [...little(width - 1, 3), ...little(height - 1, 3)];
    const header = alpha ? [...letters("VP8X"), ...little(10, 4), 0x10, 0, 0, 0, ...size] : [];
    const begin = [...letters("RIFF"), ...little(4 + header.length + data.length, 4), ...letters("WEBP"), ...header];
    return new Blob([new Uint8Array(begin), data], { type: "image/webp" });
  }

  function parse(bytes) {
    const parts = [];
    for (const { name, start, end } of chunks(bytes, 12)) {
      if (name !== "ANMF") continue;
      const flags = bytes[start + 15];
      parts.push({
        x: 2 * number(bytes, start, 3), y: 2 * number(bytes, start + 3, 3),
        width: 1 + number(bytes, start + 6, 3), height: 1 + number(bytes, start + 9, 3),
        replaces: Boolean(flags & 2), clears: Boolean(flags & 1), data: bytes.subarray(start + 16, end),
      });
    }
    return parts;
  }

  // The frames of an <img> with a data URI; of a picture that does not move, the picture alone.
  async function framesOf(image) {
    await image.decode();
    const { naturalWidth: width, naturalHeight: height } = image;
    const [head, text] = image.src.split(",");
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const parts = head.includes("webp") ? parse(bytes) : [];
    const below = globalThis.xattn.canvas(width, height).getContext("2d");
    const frames = [];
    for (const part of parts) {
      const picture = await createImageBitmap(still(part.data, part.width, part.height));
      if (part.replaces) below.clearRect(part.x, part.y, part.width, part.height);
      below.drawImage(picture, part.x, part.y);
      frames.push(await createImageBitmap(below.canvas));
      if (part.clears) below.clearRect(part.x, part.y, part.width, part.height);
    }
    return parts.length ? frames : [image];
  }

  Object.assign(globalThis.xattn, { framesOf });
})();
