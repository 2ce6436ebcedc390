// Everything works without this file; it only adds comfort.
document.addEventListener("click", function (e) {
  var b = e.target.closest("[data-act]"); if (!b) return;
  var act = b.dataset.act, d = document.documentElement;
  if (act === "theme") { e.preventDefault(); d.dataset.bsTheme = d.dataset.bsTheme === "dark" ? "light" : "dark"; document.cookie = "theme=" + d.dataset.bsTheme + ";path=/;max-age=31536000;samesite=lax"; }
  if (act === "print") window.print();
  if (act === "dismiss") b.closest(".flash").remove();
});
/* After a failed post the summary of errors takes the focus. */
var summary = document.querySelector("[data-focus]"); if (summary) summary.focus();
/* Tabs may be wider than a phone: the current one is in sight. */
document.querySelectorAll(".nav-main [aria-current]").forEach(function (a) { var bar = a.closest(".nav-main"), hidden = a.getBoundingClientRect().right - bar.getBoundingClientRect().right; if (hidden > 0) bar.scrollLeft += hidden + 16; });
