  // What is pressed or sent on the page becomes an event of the server's: `data-do` names it, the other
  // `data-` attributes and the fields of a form are what it says.

  const box = () => document.querySelector("#question textarea");
  const send = (name, data) => window.dateline?.send(name, data);
  const wide = (width) => matchMedia(`(min-width: ${width}px)`).matches;

  const fields = (form) => {
    const said = {...form.dataset};
    for (const [name, value] of new FormData(form)) {
      if (form.elements[name]?.type === "checkbox" || form.elements[name] instanceof RadioNodeList) {
        said[name] = [...(said[name] || []), value];
      } else said[name] = value;
    }
    return said;
  };

  const view = (name) => {
    document.body.dataset.shows = name;
    for (const button of document.querySelectorAll("#masthead [data-view]")) {
      if (button.dataset.view === name) button.setAttribute("aria-current", "page");
      else button.removeAttribute("aria-current");
    }
    closeDrawer(false);
    document.dispatchEvent(new CustomEvent("dateline:view", {detail: name}));
    if (name === "ask" && wide(700)) box()?.focus({preventScroll: true});
  };

  const toggleHistory = (open) => {
    document.body.classList.toggle("listing", open);
    document.getElementById("history-toggle").setAttribute("aria-expanded", String(document.body.classList.contains("listing")));
  };

  const ask = (name, data) => {
    send(name, data);
    box()?.focus({preventScroll: true});
  };

  const openDialog = (button) => {
    const dialog = document.getElementById(`${button.dataset.dialog}-dialog`);
    const form = dialog.querySelector("form");
    form.dataset.conversation = button.dataset.conversation;
    const title = form.elements.title, subject = dialog.querySelector(".dialog-subject");
    if (title) title.value = button.dataset.title;
    if (subject) subject.textContent = button.dataset.title;
    dialog.showModal();
    title?.select();
  };

  const copyLink = async (button) => {
    const link = new URL(button.dataset.copy, location.href).href;
    try {
      await navigator.clipboard.writeText(link);
      button.textContent = "Copied";
    } catch {
      // Without a secure origin a page may not write to the clipboard: show what is to be copied.
      window.prompt("The link", link);
    }
  };

  document.addEventListener("click", (event) => {
    const on = (selector) => event.target.closest?.(selector);
    let found;
    if ((found = on("[data-article]"))) openArticle(found);
    else if ((found = on("button[data-do], a[data-do]"))) {
      // A link may still be opened in a tab of its own.
      if (found.matches("a") && (event.metaKey || event.ctrlKey || event.shiftKey)) return;
      event.preventDefault();
      toggleHistory(false);
      // What was said of an answer stays said, with its comment.
      if (found.getAttribute("aria-pressed") === "true") return;
      (["ask", "again", "widen"].includes(found.dataset.do) ? ask : send)(found.dataset.do, {...found.dataset});
      if (["edit", "open"].includes(found.dataset.do)) setTimeout(() => box()?.focus({preventScroll: true}), 150);
    }
    else if ((found = on("[data-view]"))) view(found.dataset.view);
    else if ((found = on("[data-dialog]"))) openDialog(found);
    else if ((found = on("[data-closes]"))) found.closest("dialog").close();
    else if ((found = on("[data-copy]"))) { copyLink(found); return; }
    else if (on("#history-toggle")) { toggleHistory(!document.body.classList.contains("listing")); return; }
    else if (on("#new")) { view("ask"); history.replaceState(null, "", location.pathname); }
    else if (on("#stop")) box()?.focus({preventScroll: true});
    // One menu at a time, and none once something else is pressed.
    for (const menu of document.querySelectorAll("#history details[open]")) {
      if (!menu.contains(event.target) || on("#history details div *")) menu.open = false;
    }
    if (document.body.classList.contains("listing") && !on("#history")) toggleHistory(false);
  });

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.do) {
      event.preventDefault();
      send(form.dataset.do, fields(form));
      // What is drawn anew may be the same as before, and would leave the form open.
      form.closest("details")?.removeAttribute("open");
    } else if (form.dataset.sends) {
      // An answer that is being written must not bring its conversation back.
      const open = document.querySelector("#history .current a")?.dataset.conversation;
      const writing = document.querySelector('#live [aria-busy="true"]');
      if (form.dataset.sends === "discard" && writing && open === form.dataset.conversation) {
        document.getElementById("stop").click();
      }
      send(form.dataset.sends, fields(form));
    }
  });

