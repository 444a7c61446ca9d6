// The player of a contact: a click on a word or a turn's time plays from there, the words are
// marked while they are heard, and #t=12.3 or ?t=12.3 begins at that second.
(function () {
  "use strict";
  var sections = document.querySelectorAll("section[data-track]");
  function asked() {
    var m = /(?:^|[#&?])t=([0-9.]+)/.exec(location.hash) || /[?&]t=([0-9.]+)/.exec(location.search);
    return m ? Number(m[1]) : null;
  }
  sections.forEach(function (section, index) {
    var audio = section.querySelector("audio");
    if (!audio) { return; }
    var words = Array.prototype.slice.call(section.querySelectorAll(".w"));
    var turns = Array.prototype.slice.call(section.querySelectorAll(".turn"));
    var tools = section.querySelector(".player-tools");
    var follow = section.querySelector("[data-follow]");
    var rate = section.querySelector("[data-speed]");
    var current = { word: null, turn: null };
    var moved = 0;
    tools.hidden = false;

    function seek(seconds, play) {
      audio.currentTime = seconds;
      if (play) { audio.play().catch(function () { /* the reader presses play */ }); }
      mark();
    }
    function covers(el, ms) { return ms >= Number(el.dataset.s) && ms < Number(el.dataset.e); }
    function last(list, ms) {
      var found = null;
      list.forEach(function (el) { if (Number(el.dataset.s) <= ms + 60) { found = el; } });
      return found;
    }
    function swap(name, el) {
      if (current[name] === el) { return false; }
      if (current[name]) { current[name].classList.remove("now"); }
      current[name] = el;
      if (el) { el.classList.add("now"); }
      return Boolean(el);
    }
    function mark() {
      var ms = audio.currentTime * 1000;
      var turn = last(turns, ms);
      var word = words.find(function (w) { return covers(w, ms); }) || null;
      swap("word", word);
      if (swap("turn", turn) && follow.checked && !audio.paused && performance.now() - moved > 4000) {
        turn.scrollIntoView({ block: "nearest", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
      }
    }
    audio.addEventListener("timeupdate", mark);
    audio.addEventListener("seeked", mark);
    section.addEventListener("wheel", function () { moved = performance.now(); }, { passive: true });
    section.addEventListener("click", function (event) {
      var word = event.target.closest(".w");
      var time = event.target.closest(".turn-time");
      var jump = event.target.closest("[data-jump]");
      if (word && !String(getSelection())) {
        seek(Number(word.dataset.s) / 1000, true);
        history.replaceState(null, "", "#t=" + (Number(word.dataset.s) / 1000).toFixed(1));
      } else if (time) {
        event.preventDefault();
        var turn = time.closest(".turn");
        seek(Number(turn.dataset.s) / 1000, true);
        history.replaceState(null, "", "#t=" + (Number(turn.dataset.s) / 1000).toFixed(1));
      } else if (jump) {
        seek(Math.max(0, audio.currentTime + Number(jump.dataset.jump)), false);
      }
    });
    rate.addEventListener("change", function () {
      audio.preservesPitch = true;
      audio.playbackRate = Number(rate.value);
    });
    function begin() {
      var t = asked();
      if (index !== 0 || t === null) { return; }
      function go() { seek(t, false); if (current.turn) { current.turn.scrollIntoView({ block: "center" }); } }
      if (audio.readyState > 0) { go(); } else { audio.addEventListener("loadedmetadata", go, { once: true }); }
    }
    begin();
    window.addEventListener("hashchange", begin);
  });
})();
