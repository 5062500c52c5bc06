// Reads an open page again and puts in what changed, node by node: focus, scroll, selection and open details stay.
// Without this script the page asks the browser to load it again.
"use strict";
{
  const seconds = Number(document.body.dataset.seconds) || 10;
  let etag = document.body.dataset.etag;

  const alike = (one, other) => one.nodeType === other.nodeType && one.nodeName === other.nodeName && one.id === other.id;

  const attributes = (old, fresh) => {
    for (const { name } of [...old.attributes])
      if (!fresh.hasAttribute(name) && !(name === "open" && old.nodeName === "DETAILS")) old.removeAttribute(name);
    for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  };

  const renew = (old, fresh) => {
    if (old.isEqualNode(fresh)) return;
    if (old.nodeType !== Node.ELEMENT_NODE) {
      old.nodeValue = fresh.nodeValue;
      return;
    }
    attributes(old, fresh);
    let at = old.firstChild;
    for (const child of [...fresh.childNodes]) {
      // What was there before something new came in is found a little further on.
      let found = at;
      while (found && !alike(found, child)) found = found.nextSibling;
      if (!found) {
        old.insertBefore(document.importNode(child, true), at);
        continue;
      }
      while (at !== found) {
        const next = at.nextSibling;
        at.remove();
        at = next;
      }
      renew(at, child);
      at = at.nextSibling;
    }
    while (at) {
      const next = at.nextSibling;
      at.remove();
      at = next;
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
