// Names for the fields in which one searches while one types: Select2 makes them without any.
"use strict";
window.addEventListener("load", () => {
  for (const select of document.querySelectorAll("select.admin-autocomplete")) {
    const container = select.nextElementSibling;
    const name = (select.labels.length && select.labels[0].textContent) || select.getAttribute("aria-label") || "";
    if (!container) continue;
    for (const element of container.querySelectorAll("[role=combobox], [role=textbox]")) {
      element.removeAttribute("aria-labelledby");
      element.setAttribute("aria-label", [name.replace(/:$/, ""), select.selectedOptions[0]?.text].filter(Boolean).join(": "));
    }
  }
});
