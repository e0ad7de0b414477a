() => {
  // One drawer for all sources. It lives outside the transcript, which is drawn anew while an answer streams.
  const drawer = () => document.getElementById("evidence");
  const box = () => document.querySelector("#question textarea");
  let opener = null;

  const openers = (name) => document.querySelectorAll(`[data-opens="${CSS.escape(name)}"]`);

  const highlight = (spans) => {
    const wanted = (spans || "").split(" ").filter(Boolean).map((span) => span.split("-").map(Number));
    const marks = [...drawer().querySelectorAll("mark")];
    for (const mark of marks) {
      const start = Number(mark.dataset.start), end = Number(mark.dataset.end);
      mark.classList.toggle("current", wanted.some(([from, to]) => from < end && start < to));
    }
    const first = marks.find((mark) => mark.classList.contains("current")) || marks[0];
    const body = document.getElementById("evidence-body");
    body.scrollTop = 0;
    if (first) {
      const above = first.getBoundingClientRect().top - body.getBoundingClientRect().top;
      if (above > body.clientHeight * 0.5) body.scrollTop = above - body.clientHeight / 3;
    }
  };

  const open = (button) => {
    const panel = document.getElementById(button.dataset.opens);
    if (!panel) return;
    opener = {name: button.dataset.opens, spans: button.dataset.spans, element: button};
    document.getElementById("evidence-number").textContent = `Source ${panel.dataset.number}`;
    // Markup that ui/rendering.py made and escaped.
    document.getElementById("evidence-body").innerHTML = panel.dataset.panel;
    drawer().hidden = false;
    document.body.classList.add("reading");
    highlight(button.dataset.spans);
    drawer().focus({preventScroll: true});
    // On a phone the sheet covers the lower part of the window: bring what was pressed above it.
    if (matchMedia("(max-width: 699px)").matches) button.closest("li").scrollIntoView({block: "start"});
  };

  const close = (refocus) => {
    if (!drawer() || drawer().hidden) return;
    drawer().hidden = true;
    document.body.classList.remove("reading");
    if (refocus && opener) {
      const again = opener.element.isConnected
        ? opener.element
        : [...openers(opener.name)].find((button) => button.dataset.spans === opener.spans);
      (again || box())?.focus();
    }
    opener = null;
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-opens]");
    if (button) open(button);
    else if (event.target.closest?.("#evidence-close")) close(true);
    else if (event.target.closest?.("#new")) { close(false); box()?.focus(); }
    else if (event.target.closest?.("#stop, [data-ask]")) box()?.focus({preventScroll: true});
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close(true);
  });

  // A new question goes to the top of the window once; after that the page never scrolls by itself.
  let last = null;
  new MutationObserver(() => {
    const exchange = document.querySelector("#live .exchange");
    if (!exchange) { last = null; return; }
    if (exchange.id === last) return;
    last = exchange.id;
    close(false);
    requestAnimationFrame(() => exchange.scrollIntoView({block: "start", behavior: "instant"}));
  }).observe(document.body, {subtree: true, childList: true, attributes: true, attributeFilter: ["id"]});

  if (matchMedia("(min-width: 700px)").matches) box()?.focus({preventScroll: true});
}
