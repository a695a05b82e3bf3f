// The theme, before anything is drawn: as it was chosen on these pages, or else as the system has it.
const THEME = "theme";
const root = document.documentElement;
const remembered = () => {
  try {
    return localStorage.getItem(THEME);
  } catch {
    return null; // a browser may keep nothing for a page that lies in a folder
  }
};
root.dataset.theme = remembered() ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");

document.addEventListener("DOMContentLoaded", () => {
  const button = document.querySelector("button.theme");
  const say = () => button.setAttribute("aria-pressed", root.dataset.theme === "dark");
  button.hidden = false;
  button.addEventListener("click", () => {
    root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
    say();
    try {
      localStorage.setItem(THEME, root.dataset.theme);
    } catch {
      return;
    }
  });
  say();
  // Where there is room the contents stand open beside the text.
  const contents = document.querySelector(".contents details");
  const wide = matchMedia("(min-width: 1240px)");
  if (contents) {
    contents.open = wide.matches;
    wide.addEventListener("change", () => (contents.open = wide.matches));
    contents.addEventListener("click", (event) => {
      if (event.target.closest("a") && !wide.matches) contents.open = false;
    });
  }
});
