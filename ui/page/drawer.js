  // One drawer for all articles. It lives outside the transcript, which is drawn anew while an answer streams.

  const drawer = () => document.getElementById("evidence");
  const tip = () => document.getElementById("tip");
  let opener = null, step = 0;

  const marks = () => [...drawer().querySelectorAll("mark")];

  const show = (index, smooth) => {
    const all = marks(), steps = document.getElementById("evidence-steps");
    steps.hidden = all.length < 2;
    if (!all.length) return;
    step = (index + all.length) % all.length;
    document.getElementById("evidence-step").textContent = `${step + 1} of ${all.length}`;
    all.forEach((mark, at) => mark.classList.toggle("current", at === step));
    const body = document.getElementById("evidence-body");
    const above = all[step].getBoundingClientRect().top - body.getBoundingClientRect().top + body.scrollTop;
    body.scrollTo({top: Math.max(above - body.clientHeight / 3, 0), behavior: smooth ? "smooth" : "instant"});
  };

  // The first mark that overlaps what was pressed.
  const wanted = (spans) => {
    const asked = (spans || "").split(" ").filter(Boolean).map((span) => span.split("-").map(Number));
    const found = marks().findIndex((mark) => {
      const start = Number(mark.dataset.start), end = Number(mark.dataset.end);
      return asked.some(([from, to]) => from < end && start < to);
    });
    return Math.max(found, 0);
  };

  const openArticle = async (button) => {
    const {article, version, marks: spans, title, number} = button.dataset;
    hideTip();
    opener = {article, number, spans: button.dataset.spans, element: button};
    const asked = opener;
    const body = document.getElementById("evidence-body");
    const query = new URLSearchParams({id: article, title: title || ""});
    if (version) query.set("version", version);
    if (spans) query.set("marks", spans);
    document.getElementById("evidence-number").textContent = number ? `Source ${number}` : "Article";
    document.getElementById("evidence-steps").hidden = true;
    drawer().hidden = false;
    document.body.classList.add("reading");
    drawer().focus({preventScroll: true});
    // On a phone the sheet covers the lower part of the window: bring what was pressed above it.
    if (!wide(700)) button.closest("li")?.scrollIntoView({block: "start"});
    let markup;
    try {
      const response = await fetch(`page/article?${query}`);
      // Markup that ui/evidence.py made and escaped; another failure is plain words.
      const html = (response.headers.get("content-type") || "").startsWith("text/html");
      markup = html ? await response.text() : null;
    } catch {
      markup = null;
    }
    if (opener !== asked) return;
    if (markup === null) body.textContent = "The article cannot be fetched just now. Is the server still running?";
    else body.innerHTML = markup;
    body.scrollTop = 0;
    show(wanted(asked.spans), false);
  };

  const closeDrawer = (refocus) => {
    if (!drawer() || drawer().hidden) return;
    drawer().hidden = true;
    document.body.classList.remove("reading");
    document.getElementById("evidence-body").textContent = "";
    if (refocus && opener) {
      const same = (button) => button.dataset.spans === opener.spans && button.dataset.number === opener.number;
      const again = opener.element.isConnected
        ? opener.element
        : [...document.querySelectorAll("[data-article]")].filter((b) => b.dataset.article === opener.article).find(same);
      (again || box())?.focus();
    }
    opener = null;
  };

  // Hover or focus on a number shows the quote behind it.

  const showTip = (cite) => {
    tip().textContent = cite.dataset.said;
    tip().hidden = false;
    cite.setAttribute("aria-describedby", "tip");
    const at = cite.getBoundingClientRect(), size = tip().getBoundingClientRect();
    const left = Math.min(Math.max(at.left + at.width / 2 - size.width / 2, 8), innerWidth - size.width - 8);
    const above = at.top - size.height - 8;
    tip().style.left = `${left}px`;
    tip().style.top = `${above > 8 ? above : at.bottom + 8}px`;
  };
  const hideTip = () => {
    tip().hidden = true;
    document.querySelector('[aria-describedby="tip"]')?.removeAttribute("aria-describedby");
  };

  for (const [begin, end] of [["mouseover", "mouseout"], ["focusin", "focusout"]]) {
    document.addEventListener(begin, (event) => {
      const cite = event.target.closest?.(".cite");
      // A touch also hovers, and opens the drawer at once.
      if (cite && matchMedia("(hover: hover)").matches) showTip(cite);
    });
    document.addEventListener(end, (event) => { if (event.target.closest?.(".cite")) hideTip(); });
  }

  document.addEventListener("click", (event) => {
    if (event.target.closest?.("#evidence-close")) closeDrawer(true);
    else if (event.target.closest?.("#evidence-on")) show(step + 1, true);
    else if (event.target.closest?.("#evidence-back")) show(step - 1, true);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
    if (!tip().hidden) hideTip();
    if (document.body.classList.contains("listing")) toggleHistory(false);
    else closeDrawer(true);
  });

