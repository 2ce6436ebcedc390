// Passkeys: turns what the server asks into what the device understands, and its answer into JSON for the form.
(function () {
  var bytes = function (text) {
    var raw = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(raw, function (c) { return c.charCodeAt(0); });
  };
  var text = function (buffer) {
    return btoa(String.fromCharCode.apply(null, new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  };
  var known = function (list) {
    return (list || []).map(function (one) { return Object.assign({}, one, { id: bytes(one.id) }); });
  };
  var create = function (options, alone) {
    var key = options.publicKey;
    key.challenge = bytes(key.challenge);
    key.user.id = bytes(key.user.id);
    key.excludeCredentials = known(key.excludeCredentials);
    key.authenticatorSelection = Object.assign({}, key.authenticatorSelection, { residentKey: alone ? "required" : "discouraged", requireResidentKey: alone });
    if (alone) key.authenticatorSelection.userVerification = "required";
    return navigator.credentials.create({ publicKey: key });
  };
  var get = function (options) {
    var key = options.publicKey;
    key.challenge = bytes(key.challenge);
    key.allowCredentials = known(key.allowCredentials);
    return navigator.credentials.get({ publicKey: key });
  };
  var json = function (made) {
    var response = {};
    ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"].forEach(function (name) {
      if (made.response[name]) response[name] = text(made.response[name]);
    });
    return JSON.stringify({ id: made.id, rawId: text(made.rawId), type: made.type, response: response, clientExtensionResults: made.getClientExtensionResults() });
  };
  // A key belongs to a name: at a bare number such as 127.0.0.1 no browser makes one.
  if (!window.PublicKeyCredential || /^[\d.]+$|:/.test(location.hostname)) return;
  document.querySelectorAll("[data-passkey-missing]").forEach(function (one) { one.hidden = true; });
  document.querySelectorAll("form[data-passkey]").forEach(function (form) {
    form.hidden = false;
    form.addEventListener("submit", function (event) {
      event.preventDefault();
      var alone = form.elements.passwordless && form.elements.passwordless.checked;
      var asked = form.dataset.options
        ? Promise.resolve(JSON.parse(form.dataset.options))
        : fetch(form.action, { headers: { Accept: "application/json", "X-Requested-With": "XMLHttpRequest" } }).then(function (answer) {
            if (!answer.ok) throw new Error(answer.status);
            return answer.json().then(function (data) { return data.request_options; });
          });
      asked
        .then(function (options) { return form.dataset.passkey === "create" ? create(options, Boolean(alone)) : get(options); })
        .then(function (made) { form.elements.credential.value = json(made); form.submit(); })
        .catch(function () {
          var said = form.querySelector("[role=alert]");
          said.textContent = form.dataset.failed;
          said.classList.add("d-block");
        });
    });
  });
})();
