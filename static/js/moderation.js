// The primary button follows the remarks; without this file both buttons work and look alike.
(function () {
  var form = document.querySelector("[data-moderation]"); if (!form) return;
  var back = form.querySelector(".act-return"), approve = form.querySelector(".act-approve"), count = form.querySelector("[data-remarks]");
  if (!back) return;
  function follow() {
    var remarked = {};
    form.querySelectorAll("[data-remark]").forEach(function (field) { if (field.value.trim()) remarked[field.name.replace(/-(code|text)$/, "")] = true; });
    var n = Object.keys(remarked).length;
    back.classList.toggle("btn-primary", n > 0); back.classList.toggle("btn-outline-secondary", n === 0);
    approve.classList.toggle("btn-primary", n === 0); approve.classList.toggle("btn-outline-secondary", n > 0);
    count.textContent = n ? n : "";
  }
  form.addEventListener("input", follow); follow();
})();
