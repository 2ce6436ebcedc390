// Everything works without this file; it only adds comfort.
document.addEventListener("click", function (e) {
  var b = e.target.closest("[data-act]"); if (!b) return;
  var act = b.dataset.act, d = document.documentElement;
  if (act === "theme") { e.preventDefault(); d.dataset.bsTheme = d.dataset.bsTheme === "dark" ? "light" : "dark"; document.cookie = "theme=" + d.dataset.bsTheme + ";path=/;max-age=31536000;samesite=lax"; }
  if (act === "print") window.print();
  if (act === "dismiss") b.closest(".flash").remove();
  if (act === "select-over") { document.querySelectorAll(".cand input[type=checkbox]").forEach(function (c) { c.checked = +c.dataset.score >= +b.dataset.min; }); count(); }
});
/* match review: a approve · r reject (opens the reasons) · d defer · n next · p previous · x select. Single keys only fire outside fields, and can be switched off (WCAG 2.1.4). */
var list = document.querySelector("[data-review]");
function cards() { return Array.prototype.slice.call(list.querySelectorAll(".cand")); }
function current() { return list.querySelector(".cand.is-current") || cards()[0]; }
function go(step) { var c = cards(), i = c.indexOf(current()), n = c[Math.min(Math.max(i + step, 0), c.length - 1)]; c.forEach(function (x) { x.classList.remove("is-current"); x.removeAttribute("aria-current"); }); n.classList.add("is-current"); n.setAttribute("aria-current", "true"); n.focus({ preventScroll: true }); n.scrollIntoView({ block: "nearest" }); }
function count() { var o = document.querySelector("[data-count]"); if (o) o.textContent = list.querySelectorAll("input[type=checkbox]:checked").length; }
if (list) {
  count(); list.addEventListener("change", count);
  list.addEventListener("focusin", function (e) { var c = e.target.closest(".cand"); if (c && c !== current()) { current().classList.remove("is-current"); current().removeAttribute("aria-current"); c.classList.add("is-current"); c.setAttribute("aria-current", "true"); } });
  document.addEventListener("keydown", function (e) {
    var sw = document.getElementById("keys-on");
    if ((sw && !sw.checked) || e.ctrlKey || e.metaKey || e.altKey || e.target.matches("input:not([type=checkbox]),textarea,select")) return;
    if (e.key === "n") go(1); else if (e.key === "p") go(-1);
    else if (e.key === "x") { var b = current().querySelector("input[type=checkbox]"); b.checked = !b.checked; count(); }
    else if (e.key === "a" || e.key === "r" || e.key === "d") { var t = current().querySelector("[data-key=" + e.key + "]"); if (t) t.click(); }
  });
}
/* After a failed post the summary of errors takes the focus. */
var summary = document.querySelector("[data-focus]"); if (summary) summary.focus();
