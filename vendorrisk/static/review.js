/* The answers page under review: keys for whoever wants them, and the list scrolled to the chosen question. The page works without. */
(function () {
  "use strict";

  var OFF = "vendorrisk.review.keys-off";
  var help = document.querySelector("[data-keys]");
  var list = document.querySelector("[data-list]");

  function isOff() {
    try { return localStorage.getItem(OFF) === "1"; } catch (error) { return false; }
  }

  function setOff(off) {
    try { localStorage.setItem(OFF, off ? "1" : "0"); } catch (error) { /* without storage the choice holds for this page */ }
    keysOff = off;
    say();
  }

  function say() {
    if (!help) return;
    help.hidden = false;
    help.querySelector("[data-keys-toggle]").textContent = keysOff ? "Turn keys on" : "Turn keys off";
  }

  function isTyping(target) {
    return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) && target.type !== "radio" && target.type !== "checkbox";
  }

  function follow(key) {
    var link = document.querySelector('[data-key="' + key + '"]');
    if (link) link.click();
  }

  function focus(selector) {
    var control = document.querySelector(selector);
    if (control) control.focus();
  }

  function save() {
    var form = document.querySelector("[data-review]");
    if (form) form.requestSubmit(form.querySelector("button[type=submit]"));
  }

  var actions = {
    j: function () { follow("j"); },
    k: function () { follow("k"); },
    e: function () { focus("[data-evidence] input:checked, [data-review] input[type=radio]"); },
    n: function () { focus("[data-review] textarea"); },
    a: save
  };

  var keysOff = isOff();
  say();
  if (help) help.querySelector("[data-keys-toggle]").addEventListener("click", function () { setOff(!keysOff); });

  document.addEventListener("keydown", function (event) {
    if (keysOff || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    var action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });

  var current = list && list.querySelector("[aria-current]");
  if (current && list.scrollHeight > list.clientHeight) {
    list.scrollTop = current.getBoundingClientRect().top - list.getBoundingClientRect().top - list.clientHeight / 3;
  }
})();
