// A file that is dropped anywhere on the page is checked. Without this script, the form does the same.
"use strict";
const form = document.getElementById("check");
const input = form.elements.file;
document.getElementById("drop-hint").hidden = false;

for (const name of ["dragenter", "dragover"]) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    form.classList.add("over");
  });
}
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) form.classList.remove("over");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  form.classList.remove("over");
  const dropped = event.dataTransfer;
  if (dropped.files.length === 1) {
    input.files = dropped.files;
  } else {
    form.elements.text.value = dropped.getData("text");
  }
  if (input.files.length || form.elements.text.value) form.submit();
});
