// Opens the page of the doors without a network: the page as it stood, without anybody on it, and what it is made of.
// Only reading goes through here; scans are kept and sent by the page itself.
"use strict";
const STORE = "check-in", SHELL = "./?shell=1";

self.addEventListener("install", function (e) {
  e.waitUntil(caches.open(STORE).then(function (store) {
    return fetch(SHELL).then(function (page) {
      return page.clone().text().then(function (text) {
        const parts = new Set(text.match(/\/static\/[^"#]+/g));
        return Promise.all([store.put(SHELL, page), store.addAll(Array.from(parts))]);
      });
    });
  }).then(function () { return self.skipWaiting(); }));
});
self.addEventListener("activate", function (e) { e.waitUntil(self.clients.claim()); });

self.addEventListener("fetch", function (e) {
  const asked = e.request, url = new URL(asked.url);
  if (asked.method !== "GET" || url.origin !== self.location.origin) return;
  if (asked.mode === "navigate") {
    e.respondWith(fetch(asked).catch(function () { return caches.match(SHELL); }));
  } else if (url.pathname.startsWith("/static/")) {
    e.respondWith(fetch(asked).then(function (answer) {
      if (answer.ok) { const copy = answer.clone(); e.waitUntil(caches.open(STORE).then(function (store) { return store.put(asked, copy); })); }
      return answer;
    }).catch(function () { return caches.match(asked); }));
  }
});
