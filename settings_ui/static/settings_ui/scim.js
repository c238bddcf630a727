// Custom elements that enhance pages which work without them. No dependency, no inline code,
// nothing but textContent: safe under a strict CSP with Trusted Types.

const POLL = 10_000;
const POLL_LATER = 60_000;
const POLL_OFTEN_FOR = 600_000;

class Copy extends HTMLElement {
  connectedCallback() {
    this.field = this.querySelector("textarea, input");
    this.button = this.querySelector("button");
    this.said = this.querySelector("[role=status]");
    this.button.hidden = false;
    this.button.addEventListener("click", () => this.copy());
    this.field.addEventListener("focus", () => this.field.select());
    this.field.addEventListener("copy", () => this.saved());
  }

  async copy() {
    try {
      await navigator.clipboard.writeText(this.field.value);
    } catch {
      this.field.focus();
      this.field.select();
      this.said.textContent = this.dataset.failed;
      return;
    }
    this.said.textContent = this.dataset.copied;
    this.done();
    this.saved();
  }

  done() {
    const label = this.button.querySelector("[data-label]");
    this.label ??= label.textContent;
    label.textContent = label.dataset.done;
    this.button.classList.add("is-done");
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      label.textContent = this.label;
      this.button.classList.remove("is-done");
      this.said.textContent = "";
    }, 4000);
  }

  saved() {
    if (this.classList.contains("scim-secret")) {
      this.dispatchEvent(new CustomEvent("scim-saved", { bubbles: true }));
    }
  }
}

// Asks before leaving a page whose key was neither copied nor downloaded.
class Guard extends HTMLElement {
  connectedCallback() {
    const dialog = this.querySelector("dialog");
    let saved = false;
    const save = () => (saved = true);
    this.addEventListener("scim-saved", save);
    this.querySelector("[data-saves]").addEventListener("click", save);
    this.querySelector("[data-stay]").addEventListener("click", () => dialog.close());
    this.querySelector("[data-leaves]").addEventListener("click", (event) => {
      if (saved) return;
      event.preventDefault();
      dialog.showModal();
    });
  }
}

// What belongs to a check box appears when it is ticked.
class Reveal extends HTMLElement {
  connectedCallback() {
    const box = this.querySelector("input[type=checkbox]");
    const revealed = this.querySelector("[data-revealed]");
    const show = () => (revealed.hidden = !box.checked);
    box.addEventListener("change", show);
    show();
  }
}

const STEPS = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];

class Time extends HTMLElement {
  connectedCallback() {
    this.show();
    this.timer = setInterval(() => this.show(), 30_000);
  }

  disconnectedCallback() {
    clearInterval(this.timer);
  }

  set moment(iso) {
    if (!iso) return;
    let time = this.querySelector("time");
    if (!time) {
      time = document.createElement("time");
      this.replaceChildren(time);
    }
    time.dateTime = iso;
    time.title = new Date(iso).toLocaleString(document.documentElement.lang || undefined);
    this.show();
  }

  show() {
    const time = this.querySelector("time");
    if (time) time.textContent = this.words((new Date(time.dateTime) - Date.now()) / 1000);
  }

  words(seconds) {
    const [unit, length] = STEPS.find(([, length]) => Math.abs(seconds) >= length) ?? [];
    if (!unit) return this.dataset.now;
    const format = new Intl.RelativeTimeFormat(document.documentElement.lang || undefined);
    return format.format(Math.trunc(seconds / length), unit);
  }
}

// Keeps the open page up to date. Only a change of state is announced.
class Live extends HTMLElement {
  connectedCallback() {
    this.since = Date.now();
    this.onvisible = () => document.visibilityState === "visible" && this.ask();
    document.addEventListener("visibilitychange", this.onvisible);
    this.plan();
  }

  disconnectedCallback() {
    clearTimeout(this.timer);
    document.removeEventListener("visibilitychange", this.onvisible);
  }

  plan() {
    clearTimeout(this.timer);
    const often = Number(this.dataset.every) || POLL;
    const wait = Date.now() - this.since < POLL_OFTEN_FOR ? often : POLL_LATER;
    this.timer = setTimeout(() => this.ask(), wait);
  }

  async ask() {
    if (document.visibilityState !== "visible") return;
    try {
      const headers = this.etag ? { "If-None-Match": this.etag } : {};
      const answer = await fetch(this.dataset.src, { headers, redirect: "error" });
      if (answer.status === 200) {
        this.etag = answer.headers.get("ETag");
        this.update(await answer.json());
      } else if (answer.status !== 304) {
        return; // Logged out or no longer allowed: the next page load says so.
      }
    } catch {
      // Offline for a moment: ask again later.
    }
    this.plan();
  }

  update(status) {
    for (const node of this.querySelectorAll("[data-live-text]")) {
      node.textContent = status[node.dataset.liveText] ?? "";
    }
    for (const node of this.querySelectorAll("[data-live-time]")) {
      node.moment = status[node.dataset.liveTime];
    }
    for (const node of this.querySelectorAll("[data-live-for]")) {
      node.hidden = node.dataset.liveFor !== status.state;
    }
    this.mark(this.querySelector("[data-live-badge]"), status.badge);
    this.people(status.people);
    if (status.state !== this.dataset.state) {
      this.dataset.state = status.state;
      this.querySelector("[data-live-said]").textContent = status.badge.text;
    }
  }

  mark(badge, { text, tone }) {
    badge.className = `scim-badge scim-badge--${tone}`;
    badge.querySelector(".scim-badge__text").textContent = text;
  }

  people(people) {
    const list = this.querySelector("[data-live-people]");
    const known = new Map([...list.children].map((row) => [row.dataset.id, row]));
    list.replaceChildren(...people.map((person) => this.row(person, known.get(person.id))));
    this.querySelector("[data-live-empty]").hidden = people.length > 0;
  }

  row(person, known) {
    const template = this.querySelector("[data-live-person]");
    const row = known ?? template.content.firstElementChild.cloneNode(true);
    row.dataset.id = person.id;
    row.querySelector(".scim-person__name").textContent = person.name;
    row.querySelector(".scim-person__user").textContent = person.user_name;
    this.mark(row.querySelector(".scim-badge"), { text: person.active, tone: person.tone });
    customElements.upgrade(row);
    row.querySelector("scim-time").moment = person.created;
    return row;
  }
}

// Goes on listing existing members, one short request after the other, as long as the page is open.
class Listing extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    this.form.hidden = true;
    this.run();
  }

  async run() {
    try {
      for (let done = false; !done && this.isConnected; ) done = await this.step();
      if (this.isConnected) location.reload();
    } catch {
      this.form.hidden = false;
      this.querySelector("[data-listing-said]").textContent = this.dataset.failed;
    }
  }

  async step() {
    const answer = await fetch(this.form.action, {
      method: "POST",
      body: new FormData(this.form),
      headers: { Accept: "application/json" },
      redirect: "error",
    });
    if (!answer.ok) throw new Error(answer.statusText);
    const { done, total, text, finished } = await answer.json();
    const progress = this.querySelector("progress");
    progress.max = total || 1;
    progress.value = done;
    this.querySelector("[data-listing-text]").textContent = text;
    return finished;
  }
}

// A second click must not send a form again: the answer to the first one shows the key.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.closest(".scim-ui")) return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll(".scim-ui form")) delete form.dataset.sent;
});

customElements.define("scim-time", Time);
customElements.define("scim-copy", Copy);
customElements.define("scim-guard", Guard);
customElements.define("scim-reveal", Reveal);
customElements.define("scim-live", Live);
customElements.define("scim-listing", Listing);
