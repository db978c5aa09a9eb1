// Adds a button to each reference that copies it. Without this script the text can be marked.

for (const citation of navigator.clipboard ? document.querySelectorAll("dd.cite") : []) {
  const style = citation.previousElementSibling?.textContent ?? "";
  const text = (citation.textContent ?? "").trim();
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.setAttribute("aria-label", `Copy ${style}`);
  const said = document.createElement("span");
  said.setAttribute("role", "status");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      said.textContent = "Copied";
    } catch {
      said.textContent = "Your browser does not let pages copy; mark the text instead";
    }
  });
  citation.append(" ", button, " ", said);
}
