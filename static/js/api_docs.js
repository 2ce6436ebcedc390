// Swagger UI brings a <main> of its own into ours: two of them leave a screen reader without one to go to.
new MutationObserver(() => {
  document.querySelector("#swagger-ui main:not([role])")?.setAttribute("role", "presentation");
}).observe(document.getElementById("swagger-ui"), { childList: true, subtree: true });
