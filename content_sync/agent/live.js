// The live bits of staff's pages: what runs, how far it is. Without this script the pages say
// the same as of the moment they were opened.

/** @typedef {{step?: string, part?: string, done?: number, total?: number}} Progress */

const SLOW = 10_000;
const QUICK = 1_500;

/** @param {Record<string, any>} facts */
function show(facts) {
  for (const place of document.querySelectorAll("[data-live]")) {
    const value = facts[/** @type {HTMLElement} */ (place).dataset.live ?? ""];
    place.textContent = value === null || value === undefined ? "–" : String(value);
  }
  for (const place of document.querySelectorAll("[data-live-progress]")) {
    place.textContent = words(facts.running?.progress ?? {});
  }
  for (const bar of document.querySelectorAll("progress[data-live-bar]")) {
    const { done = 0, total = 0 } = facts.running?.progress ?? {};
    bar.toggleAttribute("hidden", !facts.running);
    if (total > 0) {
      bar.setAttribute("max", String(total));
      bar.setAttribute("value", String(done));
    } else {
      bar.removeAttribute("value");
    }
  }
}

/** @param {Progress} progress */
function words(progress) {
  if (!progress.step) return "";
  const far = progress.total ? ` ${progress.done} of ${progress.total}` : "";
  return `${progress.step}${progress.part ? `: ${progress.part}` : ""}${far}`;
}

async function follow() {
  let pause = SLOW;
  try {
    const answer = await fetch("/staff/agent/status.json", { headers: { Accept: "application/json" } });
    if (answer.ok) {
      const facts = await answer.json();
      show(facts);
      if (facts.running || facts.pending) pause = QUICK;
    }
  } catch {
    // The agent is being restarted: the next round tells.
  }
  setTimeout(follow, pause);
}

if (document.querySelector("[data-live]")) follow();
