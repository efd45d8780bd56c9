// Talks to the browser about passkeys: forms marked data-passkey ("get" or "create") ask it, and send its answer on.
// Without it, or where the browser has no passkeys, those parts of the page stay hidden: codes work without script.
(() => {
  "use strict";
  if (!window.PublicKeyCredential) return;
  const status = document.getElementById("status");

  const toBytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const toText = (bytes) =>
    btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

  const withBytes = (list) => (list || []).map((each) => ({ ...each, id: toBytes(each.id) }));

  function readable(options) {
    const read = { ...options, challenge: toBytes(options.challenge) };
    if (options.user) read.user = { ...options.user, id: toBytes(options.user.id) };
    if (options.excludeCredentials) read.excludeCredentials = withBytes(options.excludeCredentials);
    if (options.allowCredentials) read.allowCredentials = withBytes(options.allowCredentials);
    return read;
  }

  function sendable(credential) {
    const response = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (credential.response[name]) response[name] = toText(credential.response[name]);
    }
    return { id: credential.id, rawId: toText(credential.rawId), type: credential.type, response };
  }

  function say(words) {
    const line = document.createElement("p");
    line.className = "notice notice-error";
    line.textContent = words;
    status.replaceChildren(line);
    status.scrollIntoView({ block: "nearest" });
  }

  async function talk(form) {
    const token = form.elements.csrf_token.value;
    const answer = await fetch(form.dataset.options, { method: "POST", headers: { "X-CSRFToken": token } });
    if (!answer.ok) throw new Error("options");
    const publicKey = readable(await answer.json());
    const credential = await navigator.credentials[form.dataset.passkey]({ publicKey });
    form.elements.credential.value = JSON.stringify(sendable(credential));
    form.submit();
  }

  function words(error) {
    if (error.name === "InvalidStateError") return "There is a passkey for your account on this device already.";
    if (error.name === "NotAllowedError") return "That was cancelled, or took too long. Nothing has changed; try again.";
    if (error.message === "options") return "The service did not answer as expected. Reload the page and try again.";
    return "Your browser could not do that. Nothing has changed; sign in another way, or try again.";
  }

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const button = form.querySelector("button");
      button.disabled = true;
      talk(form).catch((error) => { say(words(error)); button.disabled = false; button.focus(); });
    });
    form.closest("[data-needs-passkeys]").hidden = false;
  }
})();
