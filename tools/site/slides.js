// One slide at a time: arrow keys, space, Home and End; n shows the notes; the address names the slide.
const slides = [...document.querySelectorAll("section")];
const counter = document.querySelector("nav output");
const notes = document.querySelector("button.notes");
const named = () => slides.findIndex((slide) => `#${slide.id}` === location.hash);
let at = Math.max(0, named());

const show = (index) => {
  at = Math.min(slides.length - 1, Math.max(0, index));
  slides.forEach((slide, number) => slide.classList.toggle("shown", number === at));
  counter.value = `${at + 1} / ${slides.length}`;
  history.replaceState(null, "", `#${slides[at].id}`);
};
const turn = () => {
  const open = document.body.classList.toggle("notes");
  notes.setAttribute("aria-pressed", open);
};
const KEYS = {
  ArrowRight: () => show(at + 1), ArrowLeft: () => show(at - 1), PageDown: () => show(at + 1), PageUp: () => show(at - 1),
  " ": () => show(at + 1), Home: () => show(0), End: () => show(slides.length - 1), n: turn,
};
document.addEventListener("keydown", (event) => {
  const onButton = event.target.closest("button") && event.key === " ";
  if (!KEYS[event.key] || event.ctrlKey || event.metaKey || event.altKey || onButton) return;
  event.preventDefault();
  KEYS[event.key]();
});
for (const button of document.querySelectorAll("button[data-move]")) {
  button.addEventListener("click", () => show(at + Number(button.dataset.move)));
}
notes.addEventListener("click", turn);
addEventListener("hashchange", () => show(Math.max(0, named())));
show(at);
