// Rows go without a round trip; without this file the same button asks the server.
document.addEventListener("click", function (e) {
  var button = e.target.closest("[data-remove]"); if (!button) return;
  var row = button.closest("[data-row]"), list = row.closest("[data-rows]");
  e.preventDefault();
  var next = row.parentElement === list ? row : row.parentElement;
  var focus = (next.nextElementSibling || next.previousElementSibling || list.nextElementSibling).querySelector("input:not([type=hidden]), select, button");
  next.remove();
  list.querySelectorAll("legend").forEach(function (legend, i) { legend.textContent = legend.textContent.replace(/\d+/, i + 1); });
  if (focus) focus.focus();
});
