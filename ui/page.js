  // A new question goes to the top of the window once; after that the page never scrolls by itself. The address
  // follows the conversation, so that a reload and a bookmark come back to it.
  let last = null;
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
    closeDrawer(false);
    requestAnimationFrame(() => exchange.scrollIntoView({block: "start", behavior: "instant"}));
  }).observe(document.body, {subtree: true, childList: true, attributes: true, attributeFilter: ["id"]});

  view("ask");
