// Proposals under a search box. Without this file the box searches as any form does.
document.querySelectorAll("[data-suggest]").forEach(function (box) {
  var input = box.querySelector("input[type=search]"), list = box.querySelector("[role=listbox]");
  var waiting = 0, asked = null, active = -1;
  function options() { return Array.prototype.slice.call(list.querySelectorAll("[role=option]")); }
  function close() { list.hidden = true; active = -1; input.setAttribute("aria-expanded", "false"); input.removeAttribute("aria-activedescendant"); }
  function mark(at) {
    var all = options(); if (!all.length) return;
    active = (at + all.length) % all.length;
    all.forEach(function (one, i) { one.setAttribute("aria-selected", i === active ? "true" : "false"); });
    input.setAttribute("aria-activedescendant", all[active].id);
    all[active].scrollIntoView({ block: "nearest" });
  }
  function ask() {
    if (asked) asked.abort();
    asked = new AbortController();
    fetch(box.dataset.suggest + "?q=" + encodeURIComponent(input.value.trim()), { signal: asked.signal, headers: { "X-Requested-With": "fetch" } })
      .then(function (answer) { return answer.ok ? answer.text() : ""; })
      .then(function (text) {
        list.innerHTML = text; active = -1; input.removeAttribute("aria-activedescendant");
        var any = options().length > 0; list.hidden = !any; input.setAttribute("aria-expanded", any ? "true" : "false");
      })
      .catch(function () { /* typed on, or the network is away: the box still searches */ });
  }
  input.setAttribute("role", "combobox"); input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-controls", list.id); input.setAttribute("aria-expanded", "false"); input.autocomplete = "off";
  input.addEventListener("input", function () { clearTimeout(waiting); if (input.value.trim()) waiting = setTimeout(ask, 150); else close(); });
  input.addEventListener("keydown", function (e) {
    if (e.isComposing || list.hidden) return;
    if (e.key === "ArrowDown") { e.preventDefault(); mark(active + 1); }
    else if (e.key === "ArrowUp") { e.preventDefault(); mark(active < 0 ? -1 : active - 1); }
    else if (e.key === "Escape") { e.preventDefault(); close(); }
    else if (e.key === "Enter" && active >= 0) { e.preventDefault(); options()[active].click(); }
  });
  box.addEventListener("focusout", function (e) { if (!box.contains(e.relatedTarget)) close(); });
});
