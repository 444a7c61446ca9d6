// The live board: takes the changes that the server sends, replaces the parts they name, and
// ticks the durations in between. Numbers never look live when the connection is not.
(function () {
  "use strict";
  var board = document.getElementById("board");
  if (!board || !window.EventSource) { return; }
  var line = document.getElementById("connection");
  var clock = document.getElementById("clock");
  var pause = document.getElementById("pause");
  var offset = Number(board.dataset.offset);
  var speed = Number(board.dataset.speed);
  var base = { now: Number(clock.dataset.now), at: performance.now() };
  var paused = false, pressed = -Infinity, held = null, source = null, heard = performance.now();

  function now() { return base.now + (performance.now() - base.at) * speed; }
  function two(n) { return (n < 10 ? "0" : "") + n; }
  function duration(ms) {
    var s = Math.max(0, Math.round(ms / 1000));
    var h = Math.floor(s / 3600), m = Math.floor(s / 60) % 60;
    return (h ? h + ":" + two(m) : m) + ":" + two(s % 60);
  }
  function tick() {
    if (paused) { return; }
    var t = now();
    board.querySelectorAll("[data-since]").forEach(function (el) {
      var text = duration(t - Number(el.dataset.since));
      if (el.textContent !== text) { el.textContent = text; }
    });
    var d = new Date(t + offset).toISOString();
    clock.textContent = d.slice(0, 10) + " " + d.slice(11, 19);
    var silent = performance.now() - heard > 6000;
    board.classList.toggle("cut", silent);
    say(silent ? "Connection lost: these numbers are from " + d.slice(11, 19) + ". Trying again." : "");
  }
  function say(text) { if (line.textContent !== text) { line.textContent = text; } }
  function make(html) {
    var t = document.createElement("template");
    t.innerHTML = html;
    return t.content.firstElementChild;
  }
  function put(id, html, parent) {
    var old = document.getElementById(id), fresh = make(html);
    if (!fresh) { return; }
    if (!old) { if (parent) { parent.appendChild(fresh); } return; }
    var focus = old.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    old.replaceWith(fresh);
    if (focus) {
      var again = Array.prototype.find.call(fresh.querySelectorAll("a"), function (a) { return a.getAttribute("href") === focus; });
      if (again) { again.focus({ preventScroll: true }); }
    }
  }
  function home(id) {
    return document.getElementById(id[0] === "q" ? "queues" : id[0] === "a" ? "agents" : "");
  }
  function apply(frame) {
    Object.keys(frame.parts).forEach(function (id) { put(id, frame.parts[id], home(id)); });
    if (frame.order) {
      var keep = {};
      frame.order.forEach(function (id) {
        keep[id] = true;
        var row = document.getElementById(id);
        if (row && row.tagName === "TR") { row.parentElement.appendChild(row); }
      });
      board.querySelectorAll("tbody > tr[id]").forEach(function (row) {
        if (!keep[row.id]) { row.remove(); }
      });
      if (frame.order.length > 2) { var e = board.querySelector(".empty"); if (e) { e.remove(); } }
    }
    base = { now: frame.clock.now, at: performance.now() };
    speed = frame.clock.speed;
    tick();
  }
  function take(event) {
    heard = performance.now();
    var frame = JSON.parse(event.data);
    if (paused || pressing()) {
      held = held || { parts: {} };
      Object.assign(held.parts, frame.parts);
      held.order = frame.order || held.order;
      held.clock = frame.clock;
      return;
    }
    apply(frame);
  }
  // A row that is replaced between a press and its release takes the click with it. Ten seconds
  // bound a press whose release is never told.
  function pressing() { return performance.now() - pressed < 10000; }
  function flush() {
    if (!held || paused || pressing()) { return; }
    var frame = held;
    held = null;
    apply(frame);
  }
  function release() {
    pressed = -Infinity;
    // The click comes in the same turn as the release.
    setTimeout(flush, 0);
  }
  function open() {
    source = new EventSource(board.dataset.stream);
    source.addEventListener("all", take);
    source.addEventListener("change", take);
    source.onopen = function () { heard = performance.now(); };
  }
  pause.hidden = false;
  pause.addEventListener("click", function () {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
    pause.textContent = paused ? "Go on" : "Pause";
    board.classList.toggle("paused", paused);
    say(paused ? "Paused. The numbers stand still." : "");
    flush();
  });
  window.addEventListener("pointerdown", function () { pressed = performance.now(); }, true);
  ["pointerup", "pointercancel", "dragend", "blur"].forEach(function (name) {
    window.addEventListener(name, release, true);
  });
  window.addEventListener("pagehide", function () { if (source) { source.close(); } });
  open();
  setInterval(function () { flush(); tick(); }, 500);
})();
