// The screen in the hall: asks the server every few seconds, turns the page, comes back by itself after a lost
// connection. One answer is on the page at a time and one timer runs: nothing grows through the night.
(function () {
  var hall = document.querySelector("[data-hall]");
  if (!hall) return;
  var seconds = Number(hall.dataset.seconds) || 15, paused = false, turnAt = 0, ahead = 0, shown = "";
  var running = null, timer = 0, failed = 0;
  var pause = hall.querySelector("[data-pause]"), lost = hall.querySelector("[data-lost]"), out = hall.querySelector("[data-out]"), clock = hall.querySelector("[data-clock]");
  var hours = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: "Asia/Shanghai" });

  function slide() { return document.getElementById("slide"); }
  function later() { turnAt = Date.now() + seconds * 1000; }
  // By the server's clock: everybody in the hall sees the list open in the same second.
  function now() { return Date.now() + ahead; }

  function show(text) {
    if (text === shown) return;
    var box = document.createElement("template");
    box.innerHTML = text;
    var fresh = box.content.querySelector("#slide"), old = slide();
    if (!fresh) return;
    if (fresh.dataset.phase !== old.dataset.phase || fresh.dataset.at !== old.dataset.at) later();
    old.replaceWith(fresh);
    shown = text;
    // Each requirement has an address, so that a reload stays where it was.
    if (fresh.dataset.at) history.replaceState(null, "", address(fresh.dataset.at));
    tick();
  }
  function address(code) { return "?seconds=" + seconds + (code ? "&at=" + encodeURIComponent(code) : ""); }

  function ask(code) {
    clearTimeout(timer);
    if (running) running.abort();
    var mine = running = new AbortController();
    var limit = setTimeout(function () { mine.abort(); }, 8000);
    fetch(address(code) + "&part=1", { signal: mine.signal, cache: "no-store" }).then(function (answer) {
      if (answer.redirected || answer.status === 404) { lost.hidden = true; out.hidden = false; failed = 1; return; }
      if (!answer.ok) throw new Error(String(answer.status));
      var said = Date.parse(answer.headers.get("Date"));
      if (said && Math.abs(said - now()) > 1500) ahead = said - Date.now();
      return answer.text().then(function (text) {
        if (mine !== running) return;
        failed = 0; lost.hidden = out.hidden = true;
        show(text);
      });
    }).catch(function () {
      if (mine !== running) return;
      failed += 1;
      if (failed > 1) lost.hidden = false;
    }).finally(function () {
      clearTimeout(limit);
      if (mine !== running) return;
      running = null;
      var every = Number(slide().dataset.every) || 4000;
      timer = setTimeout(next, failed ? Math.min(15000, 1000 * failed) : every);
    });
  }
  function next() {
    var at = slide().dataset.at;
    if (at && !paused && Date.now() >= turnAt) { later(); at = slide().dataset.next; }
    ask(at);
  }
  function turn(way) { var code = slide().dataset[way]; if (code) { later(); ask(code); } }
  function stop() { paused = !paused; pause.setAttribute("aria-pressed", String(paused)); if (!paused) later(); }

  function tick() {
    clock.textContent = hours.format(new Date(now()));
    var left = hall.querySelector("[data-countdown]"), opens = Date.parse(slide().dataset.opens);
    if (!left || !opens) return;
    var rest = Math.max(0, Math.ceil((opens - now()) / 1000)), two = function (n) { return String(n).padStart(2, "0"); };
    // Nobody counts hundreds of hours: before the last day it says days and hours, then it runs by the second.
    var days = Math.floor(rest / 86400), hour = Math.floor(rest / 3600) % 24;
    left.classList.toggle("far", days > 0);
    if (days > 0) {
      left.replaceChildren.apply(left, ["zh-Hans", "en"].map(function (language) {
        var said = document.createElement("span");
        said.lang = language;
        said.textContent = [[days, "day"], [hour, "hour"]].map(function (part) {
          return new Intl.NumberFormat(language, { style: "unit", unit: part[1], unitDisplay: "long" }).format(part[0]).replace(/(\d)(?=[^\d\s,])/, "$1 ");
        }).join(" ");
        if (language === "en") said.className = "in-en";
        return said;
      }));
      return;
    }
    left.textContent = (rest >= 3600 ? hour + ":" : "") + two(Math.floor(rest / 60) % 60) + ":" + two(rest % 60);
  }

  document.addEventListener("click", function (e) {
    var link = e.target.closest("[data-turn]");
    if (link) { e.preventDefault(); turn(link.dataset.turn); }
    if (e.target.closest("[data-pause]")) stop();
  });
  document.addEventListener("keydown", function (e) {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    if (e.key === "ArrowRight" || e.key === "PageDown") { e.preventDefault(); turn("next"); }
    if (e.key === "ArrowLeft" || e.key === "PageUp") { e.preventDefault(); turn("previous"); }
    if (e.key === " " && !e.target.closest("button, a")) { e.preventDefault(); stop(); }
    if (e.key === "f" && !document.fullscreenElement) document.documentElement.requestFullscreen();
  });
  // A computer that falls asleep shows nothing; where it may not be kept awake its owner sees to it.
  function wake() { if (navigator.wakeLock && !document.hidden) navigator.wakeLock.request("screen").catch(function () {}); }
  document.addEventListener("visibilitychange", wake);

  pause.hidden = false;
  wake(); later(); tick();
  setInterval(tick, 1000);
  timer = setTimeout(next, 1000);
})();
