// The search page's own script, asked for once this one is here: on a slow line the engine,
// asked for at the same time as this one, then has the line for itself.
const loader = /** @type {HTMLScriptElement} */ (document.currentScript);
const script = document.createElement("script");
script.src = loader.dataset.search ?? "";
document.head.append(script);
