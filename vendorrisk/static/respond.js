// Saves answers as they are given, keeps them in this browser while the connection is away, reveals follow-ups, leads to the
// next open question. Without it the page is a form with "Save and continue", and nothing is missing but comfort.
"use strict";

(() => {
  const state = document.getElementById("save-state");
  if (!state) return;
  const reference = state.dataset.reference;
  const form = document.getElementById("answers");
  const DRAFTS = `vendorrisk:${reference}:`;
  const TYPING_MS = 900;
  const RETRY_SECONDS = [1, 2, 4, 8, 16, 32, 60];

  // ------------------------------------------------------------------ what is kept in this browser

  const drafts = {
    put(id, fields) {
      try { localStorage.setItem(DRAFTS + id, JSON.stringify({ fields, page: location.pathname })); } catch { /* full or off */ }
    },
    get(id) {
      try { return JSON.parse(localStorage.getItem(DRAFTS + id)); } catch { return null; }
    },
    drop(id) {
      try { localStorage.removeItem(DRAFTS + id); } catch { /* off */ }
    },
    ids() {
      try {
        return Object.keys(localStorage).filter((key) => key.startsWith(DRAFTS)).map((key) => key.slice(DRAFTS.length));
      } catch { return []; }
    },
  };

  // ------------------------------------------------------------------ the line that says what is saved

  let lastWords = "";
  function say(words, kind = "", button = null) {
    if (words === lastWords && !button) return;
    lastWords = words;
    state.dataset.kind = kind;
    state.textContent = words;
    if (button) state.append(" ", button);
  }

  function makeButton(words, press) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "link-button";
    button.textContent = words;
    button.addEventListener("click", press);
    return button;
  }

  // ------------------------------------------------------------------ one question

  const questionOf = (node) => node.closest("[data-question]");
  const find = (id) => form && form.querySelector(`[data-question="${CSS.escape(id)}"]`);
  const prefixOf = (id) => `q-${id}`;

  function fieldsOf(article) {
    const pairs = [];
    const prefix = prefixOf(article.dataset.question);
    for (const control of article.querySelectorAll("input, select, textarea")) {
      if (!control.name || control.type === "file" || !control.name.startsWith(prefix)) continue;
      if ((control.type === "radio" || control.type === "checkbox") && !control.checked) continue;
      pairs.push([control.name, control.value]);
    }
    return pairs;
  }

  function setHidden(article, suffix, value) {
    const field = article.querySelector(`input[name="${prefixOf(article.dataset.question)}-${suffix}"]`);
    if (field) field.value = value;
  }

  function markError(article, message) {
    const line = article.querySelector(".field-error");
    line.hidden = !message;
    line.querySelector("[data-error]").textContent = message;
    article.classList.toggle("question-wrong", Boolean(message));
    const control = article.querySelector(`#${CSS.escape(prefixOf(article.dataset.question))}`);
    if (control) control.toggleAttribute("aria-invalid", Boolean(message));
  }

  function mark(article, words, kind = "") {
    const line = article.querySelector("[data-saved]");
    line.textContent = words;
    line.dataset.kind = kind;
  }

  // Choices that exclude each other: the last one that was made stays.
  function settle(control) {
    const article = questionOf(control);
    const prefix = prefixOf(article.dataset.question);
    const off = (selector) => article.querySelectorAll(selector).forEach((other) => { if (other !== control) other.checked = false; });
    const isSet = control.type === "checkbox" || control.type === "radio" ? control.checked : control.value.trim() !== "";
    if (!isSet) return;
    const na = `${prefix}-na`, unknown = `${prefix}-unknown`, code = `${prefix}-code`;
    if (control.name === na || control.name === unknown) {
      off(`[data-answer] input[type="radio"]`);
      off(`[data-answer] input[type="checkbox"]:not([name="${unknown}"])`);
      off(`input[name="${control.name === na ? unknown : na}"]`);
      return;
    }
    if (!control.closest("[data-answer]")) return;
    off(`input[name="${na}"], input[name="${unknown}"]`);
    if (control.name === code) {
      off(`input[name="${code}"]`);
      const typed = article.querySelector(`input[type="text"][name="${prefix}"]`);
      if (typed) typed.value = "";
    } else if (control.type === "text" && control.name === prefix) {
      off(`input[name="${code}"]`);
    } else if (control.hasAttribute("data-alone")) {
      off(`input[name="${prefix}"]`);
    } else if (control.type === "checkbox" && control.name === prefix) {
      off(`input[name="${prefix}"][data-alone]`);
    }
  }

  // ------------------------------------------------------------------ saving: one at a time for each question

  const work = new Map(); // id -> {timer, busy, again, refused}
  let failures = 0;
  let retryTimer = 0;
  let alerted = false;

  const jobOf = (id) => {
    if (!work.has(id)) work.set(id, { timer: 0, busy: false, again: false, refused: false });
    return work.get(id);
  };

  function changed(article, wait) {
    const id = article.dataset.question;
    drafts.put(id, fieldsOf(article));
    const job = jobOf(id);
    clearTimeout(job.timer);
    job.timer = setTimeout(() => { job.timer = 0; save(id); }, wait);
  }

  async function save(id, extra = null) {
    const job = jobOf(id);
    clearTimeout(job.timer);
    job.timer = 0;
    if (job.busy) { job.again = true; return; }
    job.busy = true;
    job.again = false;
    const article = find(id);
    const draft = drafts.get(id);
    const fields = article ? fieldsOf(article) : draft && draft.fields;
    if (fields) {
      if (failures === 0) say("Saving…");
      try {
        await send(id, article, fields, extra);
      } catch (error) {
        failed(error.reason || "", error.wait || 0);
      }
    }
    job.busy = false;
    if (job.again) save(id);
  }

  async function send(id, article, fields, extra) {
    const body = new URLSearchParams(fields);
    if (extra) body.append(extra[0], extra[1]);
    const response = await fetch(address(id), {
      method: "POST", body, credentials: "same-origin", redirect: "error",
      headers: { "X-CSRFToken": token(), Accept: "application/json" },
    });
    const isJson = (response.headers.get("Content-Type") || "").startsWith("application/json");
    if (response.status === 200 && isJson) return saved(id, article, fields, await response.json());
    if (response.status === 409 && isJson) return conflict(id, article, await response.json());
    if (response.status === 422 && isJson) return refused(id, article, await response.json());
    if (response.status === 404 || response.status === 400) return ended();
    if (response.status === 409) return say("These answers have been sent or closed – they can no longer be changed.", "wrong");
    const { reason = "" } = isJson ? await response.json() : {};
    throw Object.assign(new Error(String(response.status)), { reason, wait: Number(response.headers.get("Retry-After")) });
  }

  const address = (id) => (form ? form.dataset.answers : `${location.pathname}/answers/QUESTION`).replace("QUESTION", encodeURIComponent(id));
  const token = () => document.querySelector('input[name="csrf_token"]').value;
  const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

  // What somebody gave, without what an earlier answer of the server's may have moved on since it was kept.
  function given(id, fields) {
    const moving = [`${prefixOf(id)}-version`, `${prefixOf(id)}-seen`];
    return fields.filter(([name]) => !moving.includes(name));
  }

  function saved(id, article, sent, answer) {
    recovered();
    jobOf(id).refused = false;
    const draft = drafts.get(id);
    if (!draft || same(given(id, draft.fields), given(id, sent))) drafts.drop(id);
    if (article) {
      setHidden(article, "version", answer.version);
      setHidden(article, "seen", answer.seen);
      markError(article, "");
      mark(article, answer.saved_at ? `Saved ${answer.saved_at}` : "");
      if (answer.html) redraw(article, answer.html);
      reveal(answer.visible);
      count(answer);
    }
    summarise(answer.saved_at);
    flushOthers();
  }

  // After an answer was saved: whether that was all, or some on this page still wait or were refused.
  function summarise(time) {
    const here = drafts.ids().filter((id) => find(id));
    if (here.some((id) => jobOf(id).timer || jobOf(id).busy)) return;
    const refusedHere = here.filter((id) => jobOf(id).refused);
    if (refusedHere.length === 0) say(time ? `All changes saved ${time}` : "All changes saved", "saved");
    else say(`Saved ${time}, but for ${refusedHere.length === 1 ? "one answer" : `${refusedHere.length} answers`} on this page: see the message there`, "wrong");
  }

  function refused(id, article, answer) {
    recovered();
    jobOf(id).refused = true;
    if (!article) return; // it waits in this browser until its page is opened again
    markError(article, answer.message);
    mark(article, "Not saved", "wrong");
    say(`Not saved – ${article.querySelector(".code").textContent}: ${answer.message}`, "wrong");
  }

  function conflict(id, article, answer) {
    recovered();
    if (!article) {
      const draft = drafts.get(id);
      const link = document.createElement("a");
      link.href = `${draft ? draft.page : location.pathname}#q-${id}-question`;
      link.textContent = "Open it";
      say("An answer kept in this browser differs from what was saved meanwhile.", "wrong", link);
      return;
    }
    setHidden(article, "version", answer.version);
    article.querySelectorAll("[data-clash]").forEach((card) => card.remove());
    article.querySelector("[data-answer]").insertAdjacentHTML("beforebegin", answer.card);
    jobOf(id).refused = true;
    mark(article, "Not saved", "wrong");
    say(answer.by ? `Saved by ${answer.by} at ${answer.at} – your answer differs` : "Somebody else changed this answer – yours differs", "wrong");
  }

  function ended() {
    const link = document.createElement("a");
    link.href = location.pathname;
    link.textContent = "continue";
    say("Session ended, your text is kept in this browser –", "wrong", link);
  }

  function failed(reason, atLeast) {
    const wait = Math.max(atLeast, RETRY_SECONDS[Math.min(failures, RETRY_SECONDS.length - 1)]);
    failures += 1;
    state.setAttribute("role", alerted ? "status" : "alert");
    alerted = true;
    clearTimeout(retryTimer);
    retryTimer = setTimeout(flush, wait * 1000);
    say(`Not saved${reason ? `: ${reason}` : ""} – kept in this browser, retrying in ${wait} s ·`, "wrong", makeButton("Retry now", flush));
  }

  function recovered() {
    failures = 0;
    alerted = false;
    clearTimeout(retryTimer);
    state.setAttribute("role", "status");
  }

  function flush() {
    clearTimeout(retryTimer);
    for (const id of drafts.ids()) save(id);
  }

  function flushOthers() {
    const waiting = drafts.ids().filter((id) => !find(id));
    if (waiting.length && failures === 0 && !jobOf(waiting[0]).busy && !jobOf(waiting[0]).tried) {
      jobOf(waiting[0]).tried = true;
      save(waiting[0]);
    }
  }

  // ------------------------------------------------------------------ what follows from an answer

  function reveal(visible) {
    const shown = new Set(visible);
    for (const article of form.querySelectorAll("[data-question]")) {
      article.toggleAttribute("data-off", !shown.has(article.dataset.question));
    }
  }

  function count(answer) {
    const words = `${answer.section.answered} of ${answer.section.total}`;
    document.querySelectorAll("[data-section-progress]").forEach((node) => { node.textContent = words; });
    const entry = document.querySelector(`[data-section="${answer.section.number}"]`);
    if (entry) entry.textContent = answer.section.state === "Completed" ? "Completed" : words;
    const link = document.querySelector("[data-next] a");
    if (!link) return;
    link.href = answer.next ? answer.next.url : `/respond/${reference}/check`;
    link.textContent = answer.next ? `Next unanswered: ${answer.next.code}` : "Check and send";
  }

  function redraw(article, html) {
    const fresh = new DOMParser().parseFromString(html, "text/html").querySelector("[data-question]");
    article.replaceWith(fresh);
    fresh.tabIndex = -1;
    fresh.focus({ preventScroll: true });
  }

  // ------------------------------------------------------------------ rows of a table

  function renumber(rows) {
    const prefix = rows.id;
    const cards = rows.querySelectorAll("[data-row]");
    cards.forEach((card, number) => {
      const rename = (text) => text.replace(new RegExp(`^(${prefix})-\\d+-`), `$1-${number}-`);
      for (const node of card.querySelectorAll("[name], [id], [for], [aria-describedby]")) {
        for (const attribute of ["name", "id", "for", "aria-describedby"]) {
          const value = node.getAttribute(attribute);
          if (value && attribute !== "name") node.setAttribute(attribute, rename(value));
          if (value && attribute === "name" && value.startsWith(prefix)) node.setAttribute(attribute, rename(value));
        }
      }
      card.querySelector("[data-row-number]").textContent = number + 1;
      const button = card.querySelector("[data-remove-row]");
      button.value = button.value.replace(/\d+$/, number);
    });
    rows.querySelector(`input[name="${prefix}-rows"]`).value = cards.length;
  }

  function empty(card) {
    for (const control of card.querySelectorAll("input, select, textarea")) {
      if (control.type === "checkbox" || control.type === "radio") control.checked = false;
      else control.value = "";
    }
  }

  function addRow(button) {
    const rows = button.closest("[data-rows]");
    const cards = rows.querySelectorAll("[data-row]");
    const card = cards[cards.length - 1].cloneNode(true);
    empty(card);
    cards[cards.length - 1].after(card);
    renumber(rows);
    card.querySelector("input, select, textarea").focus();
  }

  function removeRow(button) {
    const rows = button.closest("[data-rows]");
    const card = button.closest("[data-row]");
    if (rows.querySelectorAll("[data-row]").length > 1) card.remove();
    else empty(card);
    renumber(rows);
    rows.focus();
    changed(questionOf(rows), 0);
  }

  // ------------------------------------------------------------------ files

  async function upload(input) {
    const article = questionOf(input);
    const line = article.querySelector("[data-upload-state]");
    const body = new FormData();
    for (const file of input.files) body.append(input.name, file);
    line.dataset.kind = "";
    line.textContent = "Uploading…";
    try {
      const response = await fetch(input.dataset.url, { method: "POST", body, headers: { "X-CSRFToken": token() }, redirect: "error" });
      if (response.status === 413) throw new Error("Together these files are too large for one go. A file may have 25 MB; attach them one by one.");
      if (response.status === 507) throw new Error("There is no room for files on the server just now. Choose the file again later.");
      const isJson = (response.headers.get("Content-Type") || "").startsWith("application/json");
      if (!isJson) throw new Error("The upload failed. Choose the file again to retry.");
      const answer = await response.json();
      article.querySelector("[data-files]").innerHTML = answer.html;
      setHidden(article, "version", answer.version);
      line.dataset.kind = answer.messages.length ? "wrong" : "";
      line.textContent = answer.messages.length ? answer.messages.join("\n") : "Attached.";
      input.value = "";
    } catch (error) {
      line.dataset.kind = "wrong";
      line.textContent = error instanceof TypeError ? "The upload failed: there is no connection. Choose the file again to retry." : error.message;
    }
  }

  // ------------------------------------------------------------------ listening

  function listen() {
    form.addEventListener("input", (event) => {
      const control = event.target;
      if (!questionOf(control) || control.type === "file") return;
      settle(control);
      const isTyped = control.type === "text" || control.tagName === "TEXTAREA";
      changed(questionOf(control), isTyped ? TYPING_MS : 0);
    });
    form.addEventListener("change", (event) => {
      const control = event.target;
      const article = questionOf(control);
      if (!article) return;
      if (control.type === "file") { if (control.files.length) upload(control); return; }
      if (jobOf(article.dataset.question).timer) save(article.dataset.question);
    });
    form.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      if (button.hasAttribute("data-add-row")) { event.preventDefault(); addRow(button); }
      if (button.hasAttribute("data-remove-row")) { event.preventDefault(); removeRow(button); }
      if (button.closest("[data-clash]")) {
        event.preventDefault();
        const article = questionOf(button);
        const extra = [button.name, button.value];
        button.closest("[data-clash]").remove();
        save(article.dataset.question, extra);
      }
    });
  }

  // The list of sections may be longer than the window: it begins where we are, without moving the page.
  const here = document.querySelector(".sections-nav a[aria-current]");
  if (here) {
    const list = here.closest("nav");
    list.scrollTop += here.getBoundingClientRect().top - list.getBoundingClientRect().top - list.clientHeight / 3;
  }

  // "u": the next question without an answer, here or on another page.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "u" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("textarea, select, input:not([type=radio]):not([type=checkbox]), [contenteditable]")) return;
    const link = document.querySelector("[data-next] a");
    if (!link) return;
    event.preventDefault();
    const there = new URL(link.href);
    if (there.pathname !== location.pathname || !there.hash) { location.assign(link.href); return; }
    const article = document.getElementById(there.hash.slice(1));
    const control = article.querySelector("[data-answer] input, [data-answer] textarea, [data-answer] select");
    article.scrollIntoView();
    if (control) control.focus({ preventScroll: true });
  });

  // What was typed here before the connection broke, or the browser was closed, comes back into the page.
  function restore() {
    for (const id of drafts.ids()) {
      const article = find(id);
      const draft = drafts.get(id);
      if (!article || !draft) continue;
      const rows = article.querySelector("[data-rows]");
      const given = new Map();
      for (const [name, value] of draft.fields) given.set(name, [...(given.get(name) || []), value]);
      if (rows) while (rows.querySelectorAll("[data-row]").length < Number(given.get(`${prefixOf(id)}-rows`)?.[0] || 0)) addRow(rows.querySelector("[data-add-row]"));
      for (const control of article.querySelectorAll("input, select, textarea")) {
        if (!control.name || control.type === "file" || control.name.endsWith("-seen") || control.name.endsWith("-rows")) continue;
        const values = given.get(control.name) || [];
        if (control.type === "checkbox" || control.type === "radio") control.checked = values.includes(control.value);
        else control.value = control.tagName === "SELECT" || control.type === "hidden" || values.length < 2 ? values[values.length > 1 && control.tagName === "SELECT" ? 1 : 0] || "" : values[0];
      }
    }
  }

  if (form) {
    listen();
    restore();
  }
  window.addEventListener("online", flush);
  if (drafts.ids().length && document.querySelector('input[name="csrf_token"]')) flush();
})();
