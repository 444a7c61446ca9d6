// Forms that filter: they apply themselves when a plain field changes, and leave empty fields
// out of the address. Without this the button does the same.
(function () {
  "use strict";
  document.querySelectorAll("form[data-auto]").forEach(function (form) {
    form.addEventListener("submit", function () {
      form.querySelectorAll("input, select").forEach(function (el) { if (!el.value) { el.disabled = true; } });
    });
    form.addEventListener("change", function (event) {
      var el = event.target;
      if (el.tagName === "SELECT" || el.type === "date" && el.value) { form.requestSubmit(); }
    });
  });
  document.addEventListener("click", function (event) {
    document.querySelectorAll("details.many[open]").forEach(function (d) {
      if (!d.contains(event.target)) { d.open = false; }
    });
  });
  document.addEventListener("keydown", function (event) {
    if (event.key !== "Escape") { return; }
    document.querySelectorAll("details.many[open]").forEach(function (d) {
      d.open = false;
      d.querySelector("summary").focus();
    });
  });
})();
