// What is drawn on a pad, and each way in which it changes: no elements of the page here. Geometry is in paths.js.

const LONGEST_UNDO = 100;

class Drawing {
  // `tell` is called with the value after each change that is meant to stay.
  constructor(value, frames, side, tell) {
    Object.assign(this, { value: structuredClone(value), frames, side, tell, done: [], undone: [] });
    [this.selected, this.point] = [0, 0]; // the object that is edited, and its point
  }

  get object() {
    return this.value[this.selected];
  }

  times(object = this.object) {
    return Array.from({ length: this.frames() }, (_, frame) => timeOf(object, frame, this.frames()));
  }

  // A change that can be undone: the value before it is kept.
  commit(before) {
    this.done = [...this.done, before].slice(-LONGEST_UNDO);
    this.undone = [];
    this.tell();
  }

  change(action) {
    const before = structuredClone(this.value);
    action();
    this.commit(before);
  }

  undo() {
    this.step(this.done, this.undone);
  }

  redo() {
    this.step(this.undone, this.done);
  }

  step(from, to) {
    if (!from.length) return;
    to.push(this.value);
    this.show(from.pop());
    this.tell();
  }

  // Another value, from outside or from before.
  show(value) {
    this.value = structuredClone(value);
    this.selected = clamp(this.selected, 0, Math.max(0, value.length - 1));
    this.point = 0;
  }

  select(index) {
    if (index !== this.selected) this.point = 0;
    this.selected = index;
  }

  // Changes of the object that is edited; `change` or `commit` lets them stay.

  addPoint(place, index = this.object.points.length) {
    const { points, sizes } = this.object;
    const size = sizes[Math.min(index, sizes.length) - 1] || sizes[0] || this.side;
    points.splice(index, 0, rounded(place));
    sizes.splice(index, 0, [...size]);
    this.object.times = null;
    this.point = index;
  }

  removePoint() {
    const { points, sizes } = this.object;
    if (!points.length) return;
    this.change(() => {
      points.splice(this.point, 1);
      sizes.splice(this.point, 1);
      this.object.times = null;
      this.point = clamp(this.point, 0, Math.max(0, points.length - 1));
    });
  }

  movePoint(index, place) {
    this.object.points[index] = rounded(place.map((side) => clamp(side)));
  }

  resize(index, size) {
    this.object.sizes[index] = rounded(size.map((side) => clamp(side, SMALLEST, 1)));
  }

  moveDot(index, share) {
    this.object.times = rounded(retimed(this.times(), index, share));
  }

  // Changes that stay.

  addObject(words) {
    const isFree = (word) => !LITTLE.test(word) && !this.value.some((entry) => entry.word === word);
    this.change(() => {
      const word = words.find(isFree) || this.object?.word || "";
      this.value.push({ word, points: [], sizes: [], times: null });
      [this.selected, this.point] = [this.value.length - 1, 0];
    });
  }

  removeObject() {
    this.change(() => {
      this.value.splice(this.selected, 1);
      [this.selected, this.point] = [0, 0];
    });
  }

  clear() {
    this.change(() => {
      Object.assign(this.object, { points: [], sizes: [], times: null });
      this.point = 0;
    });
  }
}
