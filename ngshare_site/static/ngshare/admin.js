// Names for the fields in which one searches while one types: Select2 makes them without any.
"use strict";
window.django?.jQuery?.(() => {
  for (const select of document.querySelectorAll("select.admin-autocomplete")) {
    const name = select.labels[0]?.textContent.trim().replace(/:$/, "") || select.getAttribute("aria-label");
    for (const element of select.nextElementSibling?.querySelectorAll("[role=combobox], [role=textbox]") ?? []) {
      element.removeAttribute("aria-labelledby");
      element.setAttribute("aria-label", [name, select.selectedOptions[0]?.text].filter(Boolean).join(": "));
    }
  }
});
