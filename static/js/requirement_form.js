// Rows go without a round trip; without this file the same button asks the server.
document.addEventListener("click", function (e) {
  var button = e.target.closest("[data-remove]"); if (!button) return;
  var row = button.closest("[data-row]"), list = row.closest("[data-rows]");
  e.preventDefault();
  var next = row.parentElement === list ? row : row.parentElement;
  var focus = (next.nextElementSibling || next.previousElementSibling || list.nextElementSibling).querySelector("input:not([type=hidden]), select, button");
  // What was typed a moment ago still waits to ask for categories: htmx looks for the target before it sees that the row is gone.
  next.querySelectorAll("[hx-target]").forEach(function (field) { field.removeAttribute("hx-target"); });
  next.remove();
  list.querySelectorAll("legend").forEach(function (legend, i) { legend.textContent = legend.textContent.replace(/\d+/, i + 1); });
  if (focus) focus.focus();
});
