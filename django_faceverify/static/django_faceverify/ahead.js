/* From case to case without a new document: the photo of the next case is fetched while this one
   is looked at, and waits here as a picture that is not shown. The answer to a decision is the
   same page as without this script, and is put in the place of this one; an answer that is not
   one of our pages is left to the browser. */

"use strict";

(() => {
  const OURS = "[data-fv-case], [data-fv-queue]";
  const FRAME = ["#main", ".breadcrumbs"];
  const ours = () => document.querySelector(OURS);
  /* the form that goes on to the next case, where there is a photo to fetch ahead */
  const onward = (page) => page.querySelector("[data-fv-ahead]");

  /* what is fetched ahead */

  let held = null;
  let again = 0;

  function hold(photo, image) {
    held = photo ? { photo, image } : null;
    const form = onward(document);
    if (form) form.dataset.fvHeld = photo ? photo.id : "";
  }

  async function fetchAhead(form) {
    const body = new FormData(form);
    const response = await fetch(form.dataset.fvAhead, { method: "POST", body, redirect: "error" });
    const { photo } = response.ok ? await response.json() : {};
    if (!form.isConnected || (held && photo && held.photo.id === photo.id)) return;
    hold(null);
    if (!photo) return;
    const image = new Image();
    image.addEventListener("load", () => { if (form.isConnected) hold(photo, image); }, { once: true });
    image.src = photo.ahead;
  }

  function workAhead() {
    clearInterval(again);
    const form = onward(document);
    if (!form) { hold(null); return; }
    if (held) hold(held.photo, held.image);
    const work = () => { if (form.isConnected) fetchAhead(form).catch(() => {}); };
    again = setInterval(work, Number(form.dataset.fvAgain) * 1000);
    // The photo of this case comes first.
    const image = document.querySelector("[data-fv-photo]:not(details *) img");
    if (!image || image.complete) { work(); return; }
    image.addEventListener("load", work, { once: true });
    image.addEventListener("error", work, { once: true });
  }

  function leave() {
    const form = onward(document);
    if (form) navigator.sendBeacon(form.dataset.fvLeave, new FormData(form));
  }

  window.addEventListener("pagehide", leave);

  /* to the next page */

  async function go(form, submitter) {
    const carried = held; // what the server is told of, so that it records the look
    const body = new URLSearchParams(new FormData(form, submitter));
    if (carried) body.set("photo_ahead", carried.photo.id);
    ours().inert = true;
    let response;
    let fresh;
    try {
      response = await fetch(form.action, { method: "POST", body });
      fresh = new DOMParser().parseFromString(await response.text(), "text/html");
    } catch {
      form.submit();
      return;
    }
    if (!fresh.querySelector(`#main :is(${OURS})`) || !document.querySelector("#main")) {
      if (response.redirected) location.reload(); // such as to the login
      else form.submit();
      return;
    }
    if (!onward(fresh)) leave();
    show(fresh, carried);
    if (response.redirected) history.pushState(null, "", response.url);
    shownAt = location.pathname + location.search;
    begin();
  }

  /* A photo that is folded away is asked for when it is unfolded: outside of the page, where a
     picture waits before it is put in its place, a browser asks for all of them. */
  function foldedAway(part) {
    const images = [...part.querySelectorAll("details:not([open]) img")];
    const addresses = images.map((image) => image.getAttribute("src"));
    images.forEach((image) => image.removeAttribute("src"));
    return () => images.forEach((image, index) => { image.src = addresses[index]; });
  }

  function show(fresh, carried) {
    for (const part of FRAME) {
      const [old, next] = [document, fresh].map((page) => page.querySelector(part));
      if (!old || !next) continue;
      const unfold = foldedAway(next);
      document.adoptNode(next);
      if (carried) place(carried, next);
      old.replaceWith(next);
      unfold();
    }
    document.title = fresh.title;
  }

  /* The very picture that was fetched: the browser does not ask for it again. It is that of the
     case itself, whose look is on record; what is folded up is asked for when it is opened. */
  function place({ photo, image }, part) {
    const blank = part.querySelector("[data-fv-photo]:not(details *) img");
    if (!blank || blank.getAttribute("src") !== photo.shown) return;
    for (const name of ["alt", "width", "height"]) {
      if (blank.hasAttribute(name)) image.setAttribute(name, blank.getAttribute(name));
    }
    blank.replaceWith(image);
    held = null;
  }

  function begin() {
    window.scrollTo(0, 0);
    document.dispatchEvent(new Event("fv-opened"));
    workAhead();
    // The heading tells where one is, and is described by what was done.
    const heading = document.querySelector("#main h1") || ours();
    const said = document.querySelector("#main .messagelist");
    if (said) {
      said.id = "fv-said";
      heading.setAttribute("aria-describedby", said.id);
    }
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
    const live = document.getElementById("fv-live");
    const { opened } = document.getElementById("fv-words").dataset;
    // A region that speaks has to be there before its words.
    setTimeout(() => { live.textContent = opened; });
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || !form.matches("[data-fv-onward]")) return;
    event.preventDefault();
    if (!ours().inert) go(form, event.submitter).catch(() => location.reload());
  });

  let shownAt = location.pathname + location.search;

  window.addEventListener("popstate", () => {
    if (location.pathname + location.search !== shownAt) location.reload();
  });

  // A page that the browser has kept has given back what it held.
  window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

  workAhead();
})();
