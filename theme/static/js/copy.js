// Adds a button that copies the reference. Without this script the text can still be marked.

const citation = document.getElementById("citation");
if (citation && navigator.clipboard) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.setAttribute("aria-describedby", "citation");
  const said = document.createElement("span");
  said.setAttribute("role", "status");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(citation.textContent.trim());
      said.textContent = "Copied";
    } catch {
      said.textContent = "Your browser does not let pages copy; mark the text instead";
    }
  });
  citation.after(button, said);
}
