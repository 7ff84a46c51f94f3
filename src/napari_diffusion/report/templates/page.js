// Without this script both images of a comparison stand side by side.
document.documentElement.classList.add("js");
for (const figure of document.querySelectorAll(".comparison")) {
  const stage = figure.querySelector(".stage");
  const slider = figure.querySelector("input");
  const show = () => stage.style.setProperty("--at", slider.value + "%");
  const follow = (event) => {
    const box = stage.getBoundingClientRect();
    const at = 100 * (event.clientX - box.left) / box.width;
    slider.value = Math.round(Math.min(Math.max(at, 0), 100));
    show();
  };
  slider.addEventListener("input", show);
  stage.addEventListener("pointerdown", (event) => {
    stage.setPointerCapture(event.pointerId);
    follow(event);
    slider.focus({ preventScroll: true });
  });
  stage.addEventListener("pointermove", (event) => {
    if (event.buttons) follow(event);
  });
  show();
}
// The record and long tables are folded on the screen and whole on paper.
addEventListener("beforeprint", () => {
  for (const folded of document.querySelectorAll("details.printed:not([open])")) {
    folded.open = true;
    folded.dataset.folded = "";
  }
});
addEventListener("afterprint", () => {
  for (const folded of document.querySelectorAll("details[data-folded]")) {
    folded.open = false;
    delete folded.dataset.folded;
  }
});
