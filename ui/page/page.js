  // A new question goes to the top of the window once; after that the page never scrolls by itself. The address
  // follows the conversation, so that a reload and a bookmark come back to it.
  let last = null;
  const asked = (exchange) => exchange.querySelector(".asked").textContent.trim();
  const empty = () => {
    box().value = "";
    box().dispatchEvent(new Event("input", {bubbles: true}));
  };
  new MutationObserver(() => {
    const exchange = document.querySelector("#live .exchange");
    const open = document.querySelector("#history [aria-current]")?.dataset.conversation;
    if (open && !location.search.includes(open)) history.replaceState(null, "", `?conversation=${open}`);
    else if (!open && location.search.includes("conversation=") && document.querySelector("#live .welcome")) {
      history.replaceState(null, "", location.pathname);
    }
    // What was suggested after an answer stands under that answer or nowhere.
    const next = document.querySelector("#suggestions [data-after]");
    if (next) next.hidden = next.dataset.after !== exchange?.id;
    if (!exchange) { last = null; return; }
    if (exchange.id === last) return;
    last = exchange.id;
    // The box is emptied once its question stands on the page: what could not be sent is not lost.
    if (exchange.getAttribute("aria-busy") === "true" && box().value.trim() === asked(exchange)) empty();
    closeDrawer(false);
    requestAnimationFrame(() => exchange.scrollIntoView({block: "start", behavior: "instant"}));
  }).observe(document.body, {subtree: true, childList: true, attributes: true, attributeFilter: ["id"]});

  // Nothing is asked by an empty box.
  const blank = (event) => {
    if (box().value.trim()) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  document.addEventListener("keydown", (event) => {
    if (event.target === box() && event.key === "Enter" && !event.shiftKey) blank(event);
  }, true);
  document.addEventListener("click", (event) => { if (event.target.closest?.("#ask")) blank(event); }, true);

  view("ask");
