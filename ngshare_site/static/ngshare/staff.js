// Small comforts of the pages for staff; everything works without them.
"use strict";
const tickAll = document.getElementById("tick-all");
if (tickAll) {
  tickAll.hidden = false;
  tickAll.addEventListener("click", () => {
    for (const box of document.querySelectorAll("#choose input[name=student]")) box.checked = true;
  });
}
const copy = document.getElementById("copy");
if (copy && navigator.clipboard) {
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById("addresses").value);
    document.getElementById("copied").textContent = copy.dataset.copied;
  });
}
// A second click does no harm, but it would send a large file twice.
for (const form of document.querySelectorAll("form.once")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
}
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form.once")) delete form.dataset.sent;
});
