// Drawing paths on a picture: the traits are those of `PathPad` in pad.py; `value` is a list of objects
// {word, points: [[x, y]], sizes: [[width, height]], times: null | [share of the path at each frame]}.
// Everything can be done by mouse, touch and keyboard: points, dots and the corner of a box are focusable.

const NUDGE = 0.02, LEAP = 0.1; // of an arrow key, without and with Shift
const SMALLEST = 0.05; // side of a box
const FREEHAND = 6; // points of a line that was drawn by hand
const STILL = 0.01; // how far a press may move and still be a press
const LITTLE = /^(a|an|the|on|in|at|of|and|to|with|near|is|it)$/i; // words that are no objects
const clamp = (value, low = 0, high = 1) => Math.min(Math.max(value, low), high);
const rounded = (pair) => pair.map((value) => Math.round(value * 1000) / 1000);

// Values at a share of a path whose keys are reached at even times.
export function along(values, share) {
  const place = share * (values.length - 1), before = Math.min(Math.floor(place), values.length - 2);
  if (values.length === 1) return values[0];
  const rest = place - before;
  return values[before].map((value, axis) => value + rest * (values[before + 1][axis] - value));
}

export function timeOf(object, frame, frames) {
  return object.times ? object.times[frame] : frames > 1 ? frame / (frames - 1) : 0;
}

export function boxOf(object, frame, frames) {
  const time = timeOf(object, frame, frames);
  const [x, y] = along(object.points, time), [width, height] = along(object.sizes, time);
  return [x - width / 2, y - height / 2, x + width / 2, y + height / 2];
}

// Cells [row, column] of a map in which the object is asked to be, as `Track.mask` has them.
export function cellsOf(object, frame, frames, rows, columns, shape) {
  const time = timeOf(object, frame, frames), cells = [];
  const [x, y] = along(object.points, time), [width, height] = along(object.sizes, time);
  const own = [Math.min(Math.floor(y * rows), rows - 1), Math.min(Math.floor(x * columns), columns - 1)];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const across = Math.abs(((column + 0.5) / columns - x) / (width / 2));
      const down = Math.abs(((row + 0.5) / rows - y) / (height / 2));
      const inside = shape === "disc" ? across ** 2 + down ** 2 <= 1 : across <= 1 && down <= 1;
      if (inside || (row === own[0] && column === own[1])) cells.push([row, column]);
    }
  }
  return cells;
}

// Points at even distances along a line that was drawn by hand.
export function resample(line, count) {
  const lengths = [0];
  for (let index = 1; index < line.length; index++) {
    const [before, here] = [line[index - 1], line[index]];
    lengths.push(lengths[index - 1] + Math.hypot(here[0] - before[0], here[1] - before[1]));
  }
  const total = lengths.at(-1), points = [];
  for (let number = 0; number < count; number++) {
    const goal = (total * number) / (count - 1);
    const next = Math.max(1, lengths.findIndex((length) => length >= goal - 1e-9));
    const rest = (goal - lengths[next - 1]) / (lengths[next] - lengths[next - 1] || 1);
    points.push(line[next - 1].map((value, axis) => value + rest * (line[next][axis] - value)));
  }
  return points;
}

// The share of a path that is nearest to a place.
export function nearestShare(points, place) {
  let nearest = { share: 0, distance: Infinity };
  for (let index = 0; index < points.length - 1; index++) {
    const [a, b] = [points[index], points[index + 1]], way = [b[0] - a[0], b[1] - a[1]];
    const square = way[0] ** 2 + way[1] ** 2 || 1;
    const rest = clamp(((place[0] - a[0]) * way[0] + (place[1] - a[1]) * way[1]) / square);
    const distance = Math.hypot(a[0] + rest * way[0] - place[0], a[1] + rest * way[1] - place[1]);
    if (distance < nearest.distance) nearest = { share: (index + rest) / (points.length - 1), distance };
  }
  return nearest.share;
}

// The times of all frames when one of them moves: those before and after it keep their proportions.
export function retimed(times, frame, share) {
  const [first, last, old] = [times[0], times.at(-1), times[frame]];
  const goal = clamp(share, first, last);
  return times.map((time, index) => {
    if (index === frame) return goal;
    if (index < frame) return old > first ? first + ((time - first) * (goal - first)) / (old - first) : time;
    return last > old ? last - ((last - time) * (last - goal)) / (last - old) : time;
  });
}
