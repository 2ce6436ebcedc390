// Check-in: answers in place, reads codes by camera where the browser can, and keeps scans while the network is away.
// Without this file the page works by plain forms. Each scan has a number of its own, so sending it twice counts once.
(function () {
  var main = document.querySelector("[data-main]");
  if (!main) return;
  var box = document.querySelector("[data-answer]"), code = main.elements.code, gate = main.elements.gate;
  var names = document.querySelector("[data-found]"), offline = document.querySelector("[data-offline]"), signedOut = document.querySelector("[data-signed-out]");
  var keptAnswer = document.querySelector("[data-kept-answer]"), noNames = document.querySelector("[data-no-names]");
  var TIMEOUT = 8000, FIRST = 500, RETRY = 10000, LANES = 4, ALPHABET = /^[23456789bcdfghjkmnpqrstvwxz]{6}$/i;

  function number() {
    var b = crypto.getRandomValues(new Uint8Array(16)), hex = "";
    b[6] = (b[6] & 15) | 64; b[8] = (b[8] & 63) | 128;
    b.forEach(function (one, i) { hex += (i === 4 || i === 6 || i === 8 || i === 10 ? "-" : "") + (one + 256).toString(16).slice(1); });
    return hex;
  }
  function isCode(text) { text = text.trim(); return text.indexOf("/c/") >= 0 || /^[\w-]{24,48}$/.test(text) || ALPHABET.test(text); }

  // ---- what is kept while the network is away ----
  var db = new Promise(function (done, failed) {
    var ask = indexedDB.open("check-in", 1);
    ask.onupgradeneeded = function () {
      ask.result.createObjectStore("scans", { keyPath: "nonce" });
      ask.result.createObjectStore("rolls", { keyPath: "address" });
    };
    ask.onsuccess = function () { done(ask.result); };
    ask.onerror = failed;
  });
  function store(mode, act, name) {
    name = name || "scans";
    return db.then(function (open) {
      return new Promise(function (done, failed) {
        var turn = open.transaction(name, mode), ask = act(turn.objectStore(name));
        turn.oncomplete = function () { done(ask.result); };
        turn.onerror = failed;
      });
    });
  }
  function keep(scan) { return store("readwrite", function (s) { return s.put(scan); }).then(count); }
  function forget(nonce) { return store("readwrite", function (s) { return s.delete(nonce); }).then(count); }
  function kept() { return store("readonly", function (s) { return s.getAll(); }); }
  function count() {
    return kept().then(function (all) {
      offline.hidden = !all.length;
      document.querySelector("[data-kept]").textContent = all.length;
    });
  }

  // ---- sending ----
  function send(scan, isLate) {
    var body = new URLSearchParams(scan.body), stop = new AbortController();
    body.set("csrfmiddlewaretoken", main.elements.csrfmiddlewaretoken.value);
    if (isLate) body.set("scanned_at", scan.at);
    var clock = setTimeout(function () { stop.abort(); }, TIMEOUT);
    return fetch(scan.url, { method: "POST", body: body, headers: { Accept: "application/json" }, redirect: "manual", signal: stop.signal })
      .then(function (answer) {
        if (answer.type === "opaqueredirect" || answer.status === 403) throw new Error("signed out");
        if (answer.status >= 500 || answer.status === 429) throw new Error("later");
        return answer.status === 404 ? {} : answer.json();
      })
      .finally(function () { clearTimeout(clock); });
  }
  function show(said) {
    signedOut.hidden = true;
    if ("html" in said) { box.innerHTML = said.html; names.innerHTML = said.found; } // made by our own templates, escaped there
    if ("inside" in said) {
      document.querySelector("[data-inside]").textContent = said.inside;
      document.querySelector("[data-expected]").textContent = said.expected;
    }
  }
  function put(filled) { box.replaceChildren(filled); names.replaceChildren(); }
  function later(scan, fault) {
    if (fault.message === "signed out") signedOut.hidden = false;
    if (scan.isName) { listNamed(scan.text); return; }
    tellKept(scan);
    keep(scan).then(soon);
  }

  // ---- who is expected, for a door without a network ----
  var people = [];
  function readRoll() {
    store("readonly", function (s) { return s.get(main.dataset.roll); }, "rolls").then(function (roll) {
      if (roll && new Date(roll.until) < new Date()) store("readwrite", function (s) { return s.clear(); }, "rolls");
      else if (roll) people = roll.people;
    }).then(function () { return fetch(main.dataset.roll, { redirect: "manual" }); }).then(function (answer) {
      return answer.ok ? answer.json() : null;
    }).then(function (roll) {
      if (!roll) return;
      people = roll.people; roll.address = main.dataset.roll;
      return store("readwrite", function (s) { return s.put(roll); }, "rolls");
    }).catch(function () { /* no network: the list of the last time holds */ });
  }
  function digest(text) {
    if (!crypto.subtle) return Promise.resolve("");
    return crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)).then(function (bytes) {
      return Array.from(new Uint8Array(bytes), function (b) { return (b + 256).toString(16).slice(1); }).join("");
    });
  }
  function personOf(scan) {
    if (scan.delegate) return Promise.resolve(people.find(function (one) { return one.id === scan.delegate; }));
    var typed = scan.text.trim(), key = typed.indexOf("/c/") >= 0 ? typed.split("/c/")[1].split("/")[0] : typed;
    return digest(key).then(function (hash) {
      return people.find(function (one) { return one.key === hash || one.code === key.toLowerCase(); });
    });
  }
  function fill(template, person) {
    var filled = template.content.cloneNode(true);
    filled.querySelector("[data-name]").textContent = person ? person.name : "";
    filled.querySelector("[data-enterprise]").textContent = person ? person.enterprise : "";
    return filled;
  }
  function tellKept(scan) {
    personOf(scan).then(function (person) {
      var filled = fill(keptAnswer, person), words = main.dataset;
      filled.querySelector("[data-said]").textContent = !person ? words.unknown : person.is_in ? words.again : words.welcome;
      filled.querySelector("[data-tone]").classList.toggle("again", !!person && person.is_in);
      filled.querySelector("[data-tone]").classList.toggle("bad", !person);
      if (person) person.is_in = !scan.isUndo;
      put(filled);
    });
  }
  function listNamed(text) {
    var wanted = text.trim().toLowerCase(), list = document.createElement("ul");
    var found = people.filter(function (one) { return (one.name + "\n" + one.enterprise).toLowerCase().indexOf(wanted) >= 0; });
    if (!found.length) { put(noNames.content.cloneNode(true)); return; }
    list.className = "list-plain rows card card-body";
    found.slice(0, 50).forEach(function (one) {
      var filled = fill(document.querySelector("[data-kept-person]"), one), form = filled.querySelector("form");
      form.elements.nonce.value = number(); form.elements.delegate.value = one.id;
      form.hidden = one.is_in; filled.querySelector("[data-is-in]").hidden = !one.is_in;
      list.append(filled);
    });
    box.replaceChildren(); names.replaceChildren(list);
  }
  // The oldest first, a few at a time: one that is lost holds up its lane alone, and without a network only so many try.
  // They are asked again soon, then less and less often, but never seldom.
  var isFlushing = false, pause = FIRST, clock;
  function soon() { clearTimeout(clock); clock = setTimeout(flush, pause); }
  function lane(waiting) {
    var scan = waiting.shift();
    if (!scan) return Promise.resolve();
    return send(scan, true)
      .then(function (said) { pause = FIRST; show(said); return forget(scan.nonce); })
      .then(function () { return lane(waiting); });
  }
  function flush() {
    if (isFlushing) return;
    isFlushing = true;
    kept().then(function (all) {
      all.sort(function (a, b) { return a.at < b.at ? -1 : 1; });
      if (all.length) pause = Math.min(2 * pause, RETRY); // unless one passes
      return Promise.all(Array.from({ length: LANES }, function () {
        return lane(all).catch(function (fault) {
          if (fault.message === "signed out") signedOut.hidden = false;
        });
      }));
    }).then(kept).then(function (left) {
      if (left.length) soon();
    }).finally(function () { isFlushing = false; });
  }
  window.addEventListener("online", flush);

  document.addEventListener("submit", function (e) {
    var form = e.target.closest("[data-check-in]");
    if (!form) return;
    e.preventDefault();
    var data = new FormData(form);
    data.set("gate", gate.value);
    data.delete("csrfmiddlewaretoken");
    var scan = {
      nonce: data.get("nonce"), url: form.getAttribute("action"), at: new Date().toISOString(),
      body: new URLSearchParams(data).toString(), isName: form === main && !isCode(code.value),
      text: data.get("code") || "", delegate: data.get("delegate"), isUndo: data.get("action") === "undo",
    };
    // At once: the next scan may come before this one is answered.
    form.elements.nonce.value = number();
    if (form === main) { code.value = ""; code.focus(); }
    send(scan, false).then(show).catch(function (fault) { later(scan, fault); });
  });

  // A handheld scanner types: what it types while no field has the focus is a code as well.
  document.addEventListener("keydown", function (e) {
    if (e.key.length !== 1 || e.ctrlKey || e.metaKey || e.altKey || e.isComposing) return;
    if (!e.target.closest("input, textarea, select, button, a, summary")) code.focus();
  });

  // ---- the camera ----
  var finder = document.querySelector("[data-finder]"), button = document.querySelector("[data-camera]"), video = document.querySelector("[data-video]");
  function watch(detector) {
    var last = "", seen = 0, isLooking = false;
    setInterval(function () {
      if (video.readyState < 2 || isLooking) return;
      isLooking = true;
      detector.detect(video).then(function (found) {
        if (!found.length) return;
        var text = found[0].rawValue, now = Date.now();
        if (text === last && now - seen < 4000) { seen = now; return; }
        last = text; seen = now; code.value = text; main.requestSubmit();
      }).catch(function () { /* a frame that cannot be read is followed by another */ })
        .then(function () { isLooking = false; });
    }, 150);
  }
  // The browser's own reader where it has one that knows these codes, else the one that comes with the page.
  function reader() {
    var kind = { formats: ["qr_code"] };
    return (window.BarcodeDetector ? BarcodeDetector.getSupportedFormats() : Promise.resolve([]))
      .catch(function () { return []; })
      .then(function (formats) { return formats.indexOf("qr_code") < 0 ? new QR.BarcodeDetector(kind) : new BarcodeDetector(kind); });
  }
  if (navigator.mediaDevices) {
    button.hidden = false;
    button.addEventListener("click", function () {
      Promise.all([navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } }), reader()]).then(function (got) {
        button.hidden = true; finder.hidden = false; video.srcObject = got[0]; video.play();
        watch(got[1]);
      }).catch(function () { button.disabled = true; button.textContent = button.dataset.refused; });
    });
  }

  count().then(flush);
  readRoll();
  setInterval(readRoll, 60000);
  if ("serviceWorker" in navigator) navigator.serviceWorker.register(main.dataset.worker).catch(function () { /* private windows have none */ });
  if ("auto" in main.dataset) main.requestSubmit();
})();
