// The library tab. Gradio runs this with `element` whenever it has drawn the component; what is at work
// must outlive a change of tabs, so that the same nodes are put in again.
const kept = window.datelineShelf;
if (kept) {
  element.querySelector(".shelf").replaceWith(kept);
  return;
}
const shelf = element.querySelector(".shelf");
window.datelineShelf = shelf;
const part = (selector) => shelf.querySelector(selector);
const UNREACHABLE = "The server cannot be reached; try again when it is back.";
const PAGE = 50;

const refusal = (status) => {
  if (status === 0) return UNREACHABLE;
  if (status === 401 || status === 403) return "The server asks for a sign-in; load the page again.";
  if (status === 413) return `it is larger than ${shelf.dataset.limit}, the limit of this server`;
  return "The server could not do this; its log says why.";
};

// The list

const rows = part(".shelf-rows"), words = part("#shelf-words"), more = part(".shelf-more"), said = part(".shelf-said");
let asking = null;

const say = (sentence) => { said.textContent = sentence; };

const list = async ({further = false} = {}) => {
  asking?.abort();
  const mine = asking = new AbortController();
  const shown = rows.querySelectorAll(".shelf-article").length;
  const asked = new URLSearchParams({
    words: words.value, offset: further ? shown : 0, limit: further ? PAGE : Math.min(1000, Math.max(PAGE, shown)),
  });
  try {
    const response = await fetch(`/page/shelf?${asked}`, {signal: mine.signal});
    if (!response.ok) {
      const told = response.status === 503 ? (await response.json()).problem : null;
      say(told || refusal(response.status));
      return;
    }
    const found = await response.json();
    // Markup that ui/shelf.py made and escaped.
    const fresh = document.createElement("template");
    fresh.innerHTML = found.rows;
    if (further) {
      // What was added meanwhile has moved articles down that are listed already.
      const listed = new Set([...rows.children].map((row) => row.dataset.id));
      const added = [...fresh.content.children].filter((row) => !listed.has(row.dataset.id));
      rows.append(...added);
      added[0]?.querySelector("button").focus();
    } else {
      const questioned = rows.querySelector(".shelf-sure:not([hidden])")?.closest("li").dataset.id;
      rows.replaceChildren(fresh.content);
      const again = questioned && rows.querySelector(`[data-id="${CSS.escape(questioned)}"]`);
      if (again) sure(again, true);
    }
    part(".shelf-count").innerHTML = found.count;
    more.hidden = !found.more;
    if (said.textContent === UNREACHABLE) say("");
  } catch (error) {
    if (error.name !== "AbortError") say(UNREACHABLE);
  }
};

let typing = 0;
words.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => { rows.replaceChildren(); say(""); list(); }, 120);
});
more.addEventListener("click", () => list({further: true}));
new IntersectionObserver((seen) => {
  if (seen.some((entry) => entry.isIntersecting)) list();
}).observe(shelf);

// Removing asks first, in the row.

const sure = (row, asks) => {
  row.querySelector(".shelf-sure").hidden = !asks;
  row.querySelector(".shelf-remove").hidden = asks;
  row.querySelector(asks ? ".shelf-no" : ".shelf-remove").focus();
};

const remove = async (row) => {
  const title = row.querySelector(".open-article").textContent;
  for (const button of row.querySelectorAll(".shelf-sure button")) button.disabled = true;
  let sentence;
  try {
    const response = await fetch("/page/shelf/remove", {
      method: "POST", headers: {"content-type": "application/json"}, body: JSON.stringify({id: row.dataset.id}),
    });
    if (response.ok) {
      sentence = (await response.json()).removed ? `Removed “${title}”.` : `“${title}” had been removed before.`;
    } else {
      sentence = response.status === 503 ? (await response.json()).problem : refusal(response.status);
    }
  } catch {
    sentence = UNREACHABLE;
  }
  await list();
  say(sentence);
  said.focus();
};

rows.addEventListener("click", (event) => {
  const row = event.target.closest(".shelf-article");
  if (event.target.closest(".shelf-remove")) sure(row, true);
  else if (event.target.closest(".shelf-no")) sure(row, false);
  else if (event.target.closest(".shelf-yes")) remove(row);
});
rows.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !event.target.closest(".shelf-sure")) return;
  event.stopPropagation();
  sure(event.target.closest(".shelf-article"), false);
});

// Adding: one request after the other, each with its own row of results.

const results = part(".shelf-results"), running = part(".shelf-running"), bar = part("progress");
const step = part(".shelf-step"), done = part(".shelf-done");
let jobs = [], finished = 0, request = null, at_work = false, stopped = false;

const fail = (name, why) => {
  const row = document.createElement("li"), label = document.createElement("span"), bdi = document.createElement("bdi");
  const status = document.createElement("strong"), reason = document.createElement("span");
  row.className = "shelf-result failed";
  label.className = "shelf-name";
  reason.className = "shelf-why";
  bdi.textContent = name;
  label.append(bdi);
  status.textContent = "failed";
  reason.textContent = why;
  row.append(label, " ", status, " ", reason);
  results.append(row);
};

const progress = (name, share, articles) => {
  bar.max = finished + jobs.length + 1;
  bar.value = finished + share;
  const so_far = articles > 1 ? ` · ${articles.toLocaleString("en")} articles` : "";
  step.textContent = `${finished + 1} of ${bar.max} · ${name}${so_far}`;
};

const send = (job) => new Promise((over) => {
  request = new XMLHttpRequest();
  request.open("POST", job.path);
  request.setRequestHeader("content-type", job.type);
  const lines = () => request.responseText.split("\n").slice(0, -1);
  request.upload.addEventListener("progress", (event) => {
    if (event.lengthComputable && event.total) progress(job.name, 0.5 * event.loaded / event.total, 0);
  });
  request.addEventListener("progress", () => {
    const last = lines().pop();
    if (last) progress(job.name, 0.5, JSON.parse(last).articles || 0);
  });
  request.addEventListener("loadend", () => {
    const last = request.status === 200 ? JSON.parse(lines().pop() || "{}") : {};
    if (last.row) results.insertAdjacentHTML("beforeend", last.row);
    else if (stopped) fail(job.name, "It was stopped; what the list shows of it is in the library.");
    else fail(job.name, request.status === 200 ? UNREACHABLE : refusal(request.status));
    over(Boolean(last.broken) || request.status === 0);
  });
  request.send(job.body);
});

const work = async () => {
  if (at_work) return;
  [at_work, stopped, finished] = [true, false, 0];
  results.replaceChildren();
  done.textContent = "";
  running.hidden = false;
  let broken = false;
  while (jobs.length && !stopped && !broken) {
    const job = jobs.shift();
    progress(job.name, 0, 0);
    if (job.refused) fail(job.name, job.refused);
    else broken = await send(job);
    finished += 1;
  }
  for (const job of jobs) fail(job.name, "It was not sent.");
  done.textContent = stopped ? "Stopped." : broken ? "It broke off." : "Done.";
  [jobs, at_work] = [[], false];
  running.hidden = true;
  say("");
  await list();
};

const add = (more_jobs) => { jobs.push(...more_jobs); work(); };

const addFiles = (files) => add([...files].map((file) => ({
  name: file.name,
  path: `/page/shelf/upload?${new URLSearchParams({name: file.name})}`,
  type: "application/octet-stream",
  body: file,
  refused: file.size > Number(shelf.dataset.maxBytes) ? refusal(413) : null,
})));

const sending = (name, path, body) => ({name, path, type: "application/json", body: JSON.stringify(body)});

part("input[type=file]").addEventListener("change", (event) => {
  addFiles(event.target.files);
  event.target.value = "";
});
part(".shelf-addresses").addEventListener("submit", (event) => {
  event.preventDefault();
  const box = part("#shelf-addresses");
  const addresses = box.value.split("\n").map((line) => line.trim()).filter(Boolean);
  add(addresses.map((address) => sending(address, "/page/shelf/fetch", {
    // What is typed without a scheme is a web address all the same.
    address: /^[a-z][a-z0-9+.-]*:/i.test(address) && !/^[^/]*:\d/.test(address) ? address : `https://${address}`,
  })));
  box.value = "";
});
part(".shelf-paste").addEventListener("submit", (event) => {
  event.preventDefault();
  const title = part("#shelf-title"), text = part("#shelf-text");
  if (!text.value.trim()) { text.focus(); return; }
  add([sending(title.value.trim() || "Pasted text", "/page/shelf/paste", {title: title.value, text: text.value})]);
  title.value = text.value = "";
});
part(".shelf-stop").addEventListener("click", () => { stopped = true; request?.abort(); });

const drop = part(".shelf-add");
drop.addEventListener("dragover", (event) => {
  if (![...event.dataTransfer.types].includes("Files")) return;
  event.preventDefault();
  drop.classList.add("over");
});
drop.addEventListener("dragleave", (event) => {
  if (!drop.contains(event.relatedTarget)) drop.classList.remove("over");
});
drop.addEventListener("drop", (event) => {
  drop.classList.remove("over");
  if (!event.dataTransfer.files.length) return;
  event.preventDefault();
  addFiles(event.dataTransfer.files);
});
