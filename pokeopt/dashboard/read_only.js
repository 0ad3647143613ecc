// Hides the buttons that have no label of their own to go by, and says why they are gone.
"use strict";
const BUTTONS = ["Create", "Fail Trial"];
const CARDS = ["Upload a New File", "Upload a New Image"];
const NOTICE = "Read-only. Start it with --allow-writes to edit notes, or to rename and delete studies.";

function hide() {
  for (const button of document.querySelectorAll("button")) {
    if (BUTTONS.includes(button.textContent.trim())) button.dataset.pokeoptRefused = "";
  }
  for (const text of document.querySelectorAll("p")) {
    const card = CARDS.includes(text.textContent.trim()) && text.closest(".MuiCard-root");
    if (card) card.dataset.pokeoptRefused = "";
  }
}

const notice = document.createElement("div");
notice.id = "pokeopt-mode";
notice.setAttribute("role", "note");
notice.textContent = NOTICE;
document.body.append(notice);
hide();
new MutationObserver(hide).observe(document.body, { childList: true, subtree: true });
