// Swagger UI brings a <main> of its own into ours: two of them leave a screen reader without one to go to.
new MutationObserver(() => {
  document.querySelector("#swagger-ui main:not([role])")?.setAttribute("role", "presentation");
}).observe(document.getElementById("swagger-ui"), { childList: true, subtree: true });
// It is dark by a class, we are by an attribute.
const page = document.documentElement;
const follow = () => page.classList.toggle("dark-mode", page.dataset.bsTheme === "dark");
new MutationObserver(follow).observe(page, { attributeFilter: ["data-bs-theme"] });
follow();
