// Reads an open page again and puts in what changed, node by node: focus, scroll, selection and open details stay.
// Without this script the page asks the browser to load it again.
"use strict";
{
  const seconds = Number(document.body.dataset.seconds) || 10;
  let etag = document.body.dataset.etag;

  // What tells an element from its neighbours, and stays while its contents change.
  const nameOf = (each) =>
    each.nodeName + ["id", "href", "aria-labelledby", "class"].map((name) => each.getAttribute(name)).find(Boolean);

  const attributes = (old, fresh) => {
    for (const { name } of [...old.attributes])
      if (!fresh.hasAttribute(name) && !(name === "open" && old.nodeName === "DETAILS")) old.removeAttribute(name);
    for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  };

  const renew = (old, fresh) => {
    if (old.isEqualNode(fresh)) return;
    attributes(old, fresh);
    const held = new Map();
    for (const each of old.children) held.set(nameOf(each), [...(held.get(nameOf(each)) ?? []), each]);
    const kept = new Map();
    for (const each of fresh.children) {
      const found = held.get(nameOf(each))?.shift();
      if (found) kept.set(each, found);
    }
    const stay = new Set(kept.values());
    for (const each of [...old.childNodes]) if (!stay.has(each)) each.remove();
    // What stays is not moved: an element that is put elsewhere loses its focus.
    let at = old.firstChild;
    for (const each of [...fresh.childNodes]) {
      const found = kept.get(each);
      if (!found) old.insertBefore(document.importNode(each, true), at);
      else if (found === at) at = at.nextSibling;
      else old.insertBefore(found, at);
      if (found) renew(found, each);
    }
  };

  const seen = (when) => {
    const time = document.getElementById("as-of");
    if (time && when) time.textContent = when;
  };

  const away = (is) => {
    const banner = document.getElementById("away");
    if (banner) banner.hidden = !is;
  };

  const again = async () => {
    if (document.hidden) return;
    let answer;
    try {
      answer = await fetch(location.href, { headers: { "If-None-Match": etag }, cache: "no-store", redirect: "error" });
    } catch {
      return away(true);
    }
    away(false);
    seen(answer.headers.get("X-As-Of"));
    if (answer.status === 304) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!answer.ok && !fresh.body.dataset.seconds) return location.reload();
    document.title = fresh.title;
    renew(document.body, fresh.body);
    etag = fresh.body.dataset.etag;
  };

  setInterval(again, seconds * 1000);
  document.addEventListener("visibilitychange", again);
}
