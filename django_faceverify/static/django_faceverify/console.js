/* The keyboard, the photo and the claim of the review pages. Without it the pages work as plain
   forms. Words come from the page (#fv-words), so that they are in its language. */

"use strict";

/* All that one page needs, until it is left for another one, which ends `signal`. */
const startReviewPage = (signal) => {
  const page = document.querySelector("[data-fv-case], [data-fv-queue]");
  if (!page) return;
  const words = document.getElementById("fv-words").dataset;
  const live = document.getElementById("fv-live");
  const help = document.getElementById("fv-keys");

  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const say = (text) => { live.textContent = text; };

  document.documentElement.classList.add("fv-script");
  page.querySelectorAll("[data-fv-script]").forEach((part) => { part.hidden = false; });
  page.querySelectorAll("[data-fv-help]").forEach((button) => {
    button.addEventListener("click", () => help.showModal());
  });

  /* photos */

  class PhotoView {
    constructor(figure) {
      this.image = figure.querySelector("img");
      this.frame = figure.querySelector(".fv-frame");
      this.measured = figure.querySelector("[data-fv-measured]");
      this.reset(true);
      figure.querySelectorAll("[data-fv-do]").forEach((button) => {
        button.addEventListener("click", () => this[button.dataset.fvDo]());
      });
      if (this.image.complete && this.image.naturalWidth) this.measure();
      this.image.addEventListener("load", () => this.measure());
    }

    larger() { this.zoom = Math.min(4, this.zoom + 0.25); this.show(fill(words.zoom, { percent: this.zoom * 100 })); }
    smaller() { this.zoom = Math.max(0.5, this.zoom - 0.25); this.show(fill(words.zoom, { percent: this.zoom * 100 })); }
    turn() { this.degrees = (this.degrees + 90) % 360; this.show(fill(words.turned, { degrees: this.degrees })); }
    brighter() { this.light = Math.min(300, this.light + 20); this.show(fill(words.brightness, { percent: this.light })); }
    darker() { this.light = Math.max(20, this.light - 20); this.show(fill(words.brightness, { percent: this.light })); }

    reset(isQuiet) {
      this.zoom = 1;
      this.degrees = 0;
      this.light = 100;
      this.show(isQuiet ? "" : fill(words.zoom, { percent: 100 }));
    }

    show(text) {
      this.image.style.width = `${this.zoom * 100}%`;
      this.image.style.maxWidth = this.zoom > 1 ? "none" : "100%";
      this.image.style.rotate = `${this.degrees}deg`;
      this.image.style.filter = this.light === 100 ? "" : `brightness(${this.light}%)`;
      if (text) say(text);
    }

    /* Light and sharpness, measured here: nothing is stored, and old photos have them too. */
    measure() {
      if (!this.measured || !this.image.naturalWidth) return;
      const side = 256;
      const scale = side / Math.max(this.image.naturalWidth, this.image.naturalHeight);
      const width = Math.max(3, Math.round(this.image.naturalWidth * scale));
      const height = Math.max(3, Math.round(this.image.naturalHeight * scale));
      const canvas = document.createElement("canvas");
      canvas.width = width;
      canvas.height = height;
      const context = canvas.getContext("2d", { willReadFrequently: true });
      context.drawImage(this.image, 0, 0, width, height);
      const pixels = context.getImageData(0, 0, width, height).data;
      const grey = new Float32Array(width * height);
      let sum = 0;
      for (let i = 0; i < grey.length; i += 1) {
        grey[i] = 0.299 * pixels[4 * i] + 0.587 * pixels[4 * i + 1] + 0.114 * pixels[4 * i + 2];
        sum += grey[i];
      }
      const light = Math.round(sum / grey.length);
      let edges = 0;
      let squares = 0;
      let count = 0;
      for (let y = 1; y < height - 1; y += 1) {
        for (let x = 1; x < width - 1; x += 1) {
          const at = y * width + x;
          const edge = grey[at - 1] + grey[at + 1] + grey[at - width] + grey[at + width] - 4 * grey[at];
          edges += edge;
          squares += edge * edge;
          count += 1;
        }
      }
      const sharpness = Math.round(squares / count - (edges / count) ** 2);
      const lightWord = light < 60 ? words.dark : light > 200 ? words.glaring : words.goodLight;
      const sharpWord = sharpness < 60 ? words.blurred : words.sharp;
      this.measured.textContent = `${fill(words.light, { value: light, word: lightWord })} · `
        + fill(words.sharpness, { value: sharpness, word: sharpWord });
    }
  }

  const views = [...page.querySelectorAll("[data-fv-photo]")].map((figure) => new PhotoView(figure));
  const photoKeys = { "+": "larger", "=": "larger", "-": "smaller", o: "turn", "]": "brighter", "[": "darker", 0: "reset" };

  /* the decision */

  const forms = [...page.querySelectorAll("[data-fv-decision]")];
  let chosen = null;

  function choose(form) {
    if (chosen) chosen.classList.remove("fv-chosen");
    chosen = form;
    if (!form) { say(words.left); return; }
    form.classList.add("fv-chosen");
    form.scrollIntoView({ block: "nearest" });
    form.querySelector("input[type=radio]").focus({ preventScroll: true });
    say(fill(words.chosen, { decision: title(form) }));
  }

  function title(form) { return form.querySelector("h3 span").textContent; }

  function pick(number) {
    const radio = chosen.querySelectorAll("input[type=radio]")[number - 1];
    if (!radio) { say(words.noReason); return; }
    radio.checked = true;
    radio.focus();
    say(fill(words.reason, { decision: title(chosen), reason: radio.labels[0].querySelector("span").textContent }));
  }

  forms.forEach((form) => form.addEventListener("focusin", () => {
    if (chosen !== form) {
      if (chosen) chosen.classList.remove("fv-chosen");
      chosen = form;
      form.classList.add("fv-chosen");
    }
  }));

  /* the list */

  const rows = [...page.querySelectorAll("[data-fv-row]")];

  function step(by) {
    const at = rows.indexOf(document.activeElement);
    const next = rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : at + by];
    if (next) next.focus();
  }

  /* keys */

  function isTyping(target) {
    return target.matches("textarea, select, input:not([type=radio]):not([type=checkbox]), [contenteditable]");
  }

  document.addEventListener("keydown", (event) => {
    if (page.inert || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || help.open) return;
    const { key, target } = event;
    if (isTyping(target)) {
      if (key === "Escape") { target.blur(); if (chosen) choose(chosen); }
      return;
    }
    if (key === "Enter") {
      if (chosen && chosen.contains(target) && target.matches("input[type=radio]")) {
        event.preventDefault();
        chosen.requestSubmit();
      }
      return;
    }
    const act = action(key);
    if (act) { event.preventDefault(); act(); }
  }, { signal });

  function action(key) {
    if (key === "?") return () => help.showModal();
    if (key === "Escape" && chosen) return () => { document.activeElement.blur(); choose(null); };
    const form = forms.find((one) => one.dataset.fvDecision === key);
    if (form) return () => choose(form);
    if (chosen && /^[1-9]$/.test(key)) return () => pick(Number(key));
    if (chosen && key === "m") return () => chosen.querySelector("textarea").focus();
    if (views.length && key in photoKeys) return () => views[0][photoKeys[key]]();
    if (rows.length && (key === "j" || key === "k")) return () => step(key === "j" ? 1 : -1);
    const button = [...page.querySelectorAll("[data-fv-key]")].find((one) => one.dataset.fvKey === key);
    return button ? () => button.click() : null;
  }

  /* the claim: taken when the page opens, kept while it is open, given back when it is left */

  const { fvClaim: claimUrl, fvRelease: releaseUrl, fvAgain: again } = page.dataset;
  let isLeavingForGood = true;

  function body() {
    const data = new FormData();
    data.set("csrfmiddlewaretoken", page.querySelector("[name=csrfmiddlewaretoken]").value);
    return data;
  }

  async function claim() {
    const response = await fetch(claimUrl, { method: "POST", body: body(), headers: { Accept: "application/json" } });
    const holder = page.querySelector("[data-fv-holder]");
    if (response.ok) {
      if (holder) holder.textContent = words.mine;
      page.querySelectorAll("[data-fv-take]").forEach((button) => { button.hidden = true; });
      return;
    }
    clearInterval(renewal);
    const told = await response.json().catch(() => ({}));
    say(told.refusal || words.lost);
  }

  let renewal = 0;
  if (claimUrl) {
    claim().catch(() => {});
    renewal = setInterval(() => { claim().catch(() => {}); }, Number(again) * 1000);
    page.addEventListener("submit", () => { isLeavingForGood = false; });
    page.querySelectorAll("[data-fv-stay]").forEach((link) => {
      link.addEventListener("click", () => { isLeavingForGood = false; });
    });
    window.addEventListener("pagehide", () => {
      if (isLeavingForGood) navigator.sendBeacon(releaseUrl, body());
    }, { signal });
    signal.addEventListener("abort", () => clearInterval(renewal));
  }
};

{
  let leaving = new AbortController();
  const start = () => {
    leaving.abort();
    leaving = new AbortController();
    startReviewPage(leaving.signal);
  };
  document.addEventListener("fv-opened", start);
  start();
}
