"use strict";
window.django?.jQuery?.(() => {
  // On a phone, each cell of a table of forms says what it is: the stylesheet shows this instead of the header.
  for (const table of document.querySelectorAll(".members table, .extensions table")) {
    const headers = [...(table.tHead?.rows[0]?.cells ?? [])].map((cell) => cell.firstChild?.textContent.trim() ?? "");
    for (const row of table.tBodies[0]?.rows ?? []) {
      [...row.cells].forEach((cell, column) => { cell.dataset.label = headers[column] ?? ""; });
    }
  }
  // Names for the fields in which one searches while one types: Select2 makes them without any.
  for (const select of document.querySelectorAll("select.admin-autocomplete")) {
    const name = select.labels[0]?.textContent.trim().replace(/:$/, "") || select.getAttribute("aria-label");
    for (const element of select.nextElementSibling?.querySelectorAll("[role=combobox], [role=textbox]") ?? []) {
      element.removeAttribute("aria-labelledby");
      element.setAttribute("aria-label", [name, select.selectedOptions[0]?.text].filter(Boolean).join(": "));
    }
  }
});
