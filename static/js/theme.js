// Runs before first paint. The server sets data-bs-theme from the cookie; this only serves "auto".
(function () { var d = document.documentElement; if (d.dataset.bsTheme === "auto") d.dataset.bsTheme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"; })();
