// Match review: a approve, r reject (opens the reasons), d defer, n next, p previous, x select.
// Everything here works without this file by plain forms. Single keys fire outside fields only, and can be switched
// off (WCAG 2.1.4); the switch is remembered on this device.
(function () {
  var list = document.querySelector("[data-review]");
  var keys = document.querySelector("[data-keys]"), sw = document.getElementById("keys-on");
  var counted = document.querySelector("[data-counted]"), over = document.querySelector("[data-select-from]");
  if (!list) return;
  function cards() { return Array.prototype.slice.call(list.querySelectorAll(".cand")); }
  function current() { return list.querySelector(".cand.is-current") || cards()[0]; }
  function mark(card) {
    cards().forEach(function (c) { c.classList.toggle("is-current", c === card); if (c !== card) c.removeAttribute("aria-current"); });
    card.setAttribute("aria-current", "true");
  }
  function focus(card) { mark(card); card.focus({ preventScroll: true }); card.scrollIntoView({ block: "nearest" }); }
  function go(step) { var all = cards(), i = all.indexOf(current()); focus(all[Math.min(Math.max(i + step, 0), all.length - 1)]); }
  function boxes() { return Array.prototype.slice.call(list.querySelectorAll("input[type=checkbox]")); }
  function count() { document.querySelector("[data-count]").textContent = boxes().filter(function (b) { return b.checked; }).length; }

  keys.hidden = false; counted.hidden = false; over.hidden = false; count();
  try { sw.checked = localStorage.getItem("review-keys") !== "off"; } catch (e) { /* storage is closed: the switch holds for this page */ }
  sw.addEventListener("change", function () { try { localStorage.setItem("review-keys", sw.checked ? "on" : "off"); } catch (e) { /* likewise */ } });
  over.addEventListener("click", function () { boxes().forEach(function (b) { b.checked = +b.dataset.tenths >= +over.dataset.selectFrom; }); count(); });
  list.addEventListener("change", count);
  list.addEventListener("focusin", function (e) { var c = e.target.closest(".cand"); if (c && c !== current()) mark(c); });

  document.addEventListener("keydown", function (e) {
    // In the open list of reasons Enter rejects: one key more than the reason itself.
    if (e.key === "Enter" && e.target.matches(".cand select[name=reason]")) { e.preventDefault(); e.target.closest("details").querySelector("[data-reject]").click(); return; }
    if (!sw.checked || e.ctrlKey || e.metaKey || e.altKey || e.target.matches("input:not([type=checkbox]),textarea,select")) return;
    var card = current();
    if (e.key === "n") go(1);
    else if (e.key === "p") go(-1);
    else if (e.key === "x") { var box = card.querySelector("input[type=checkbox]"); if (box) { box.checked = !box.checked; count(); } }
    else if (e.key === "a" || e.key === "d" || e.key === "r") {
      var target = card.querySelector("[data-key=" + e.key + "]");
      if (!target) return;
      e.preventDefault(); target.click();
      if (e.key === "r") { var reasons = card.querySelector("select[name=reason]"); if (reasons.closest("details").open) reasons.focus(); }
    }
  });

  // A decided card comes back in place: go on to the next one below that waits, or stay where something went wrong.
  var decided = null;
  list.addEventListener("submit", function (e) { decided = e.target.closest(".cand").id; });
  document.addEventListener("htmx:after:swap", function () {
    var card = decided && document.getElementById(decided); decided = null;
    if (!card) return;
    count();
    if (card.querySelector("[role=alert]")) { focus(card); return; }
    var all = cards(), rest = all.slice(all.indexOf(card) + 1).filter(function (c) { return c.querySelector("[data-key=a]"); });
    focus(rest[0] || card);
  });
})();
