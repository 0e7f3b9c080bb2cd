/* SPDX-License-Identifier: Apache-2.0
   Keeps a page fresh, minds held buttons and the pad of digits; without it every
   page works by forms and links.
   ES5 on purpose: the oldest tablets (Safari 10, Android 5) must read it. */
(function () {
  'use strict';
  var held = {};
  var isOpen = false;
  var body = document.body;
  var live = body.getAttribute('data-live');
  /* What this page asked for. */
  var here = location.pathname + location.search.replace(/[?&]told=.*/, '');

  function byId(id) { return document.getElementById(id); }

  function each(selector, act) {
    Array.prototype.forEach.call(document.querySelectorAll(selector), act);
  }

  function show(id, isShown) {
    if (byId(id)) { byId(id).hidden = !isShown; }
  }

  /* A part with the focus inside is never replaced; it waits until focus leaves. */
  function put(part) {
    var place = byId(part.name);
    if (!place || place.getAttribute('data-mark') === part.mark) { return; }
    if (place.contains(document.activeElement)) {
      held[part.name] = part;
      return;
    }
    delete held[part.name];
    place.setAttribute('data-mark', part.mark);
    place.innerHTML = part.html;
  }

  function release() {
    Object.keys(held).forEach(function (name) { put(held[name]); });
  }

  function listen() {
    var source = new EventSource(live);
    source.onopen = function () {
      isOpen = true;
      show('lost', false);
      show('still', false);
    };
    source.onerror = function () {
      show('lost', isOpen);
      show('still', true);
      /* No stream ends it for good: begin anew. */
      if (source.readyState === 2) {
        source.close();
        setTimeout(listen, 3000);
      }
    };
    source.addEventListener('page', function (event) {
      if (event.data === body.getAttribute('data-key')) { return; }
      source.close();
      if (byId('go')) { byId('go').submit(); } else { location.replace(here); }
    });
    source.addEventListener('part', function (event) {
      put(JSON.parse(event.data));
    });
  }

  /* A button that is held sends its form; one that is let go does nothing. */
  each('[data-hold]', function (button) {
    var timer = 0;
    function buzz(ms) { if (navigator.vibrate) { navigator.vibrate(ms); } }
    function stop(event) {
      event.preventDefault(); /* no mouse after a finger */
      clearTimeout(timer);
      timer = 0;
      button.classList.remove('held');
    }
    function start(event) {
      var isKey = event.type === 'keydown';
      if (timer || (isKey && event.keyCode !== 13 && event.keyCode !== 32)) { return; }
      button.classList.add('held');
      buzz(60);
      timer = setTimeout(function () {
        buzz(300);
        button.form.elements.hold.value = 'held';
        button.form.submit();
      }, +button.getAttribute('data-hold'));
    }
    ['mousedown', 'touchstart', 'keydown'].forEach(function (name) {
      button.addEventListener(name, start);
    });
    ['mouseup', 'mouseleave', 'touchend', 'touchcancel', 'keyup', 'blur'].forEach(
      function (name) { button.addEventListener(name, stop); });
    button.addEventListener('click', function (event) { event.preventDefault(); });
  });

  each('[data-pad]', function (pad) {
    var digits = byId(pad.getAttribute('data-pad'));
    pad.hidden = false;
    pad.addEventListener('click', function (event) {
      var key = event.target;
      if (!key.hasAttribute('data-sign')) { key = key.parentNode; }
      var sign = key.getAttribute('data-sign');
      if (sign === null) { return; }
      digits.value = sign ? (digits.value + sign).slice(0, 6) : digits.value.slice(0, -1);
    });
  });

  setInterval(function(){each('[data-s]',function(b){
b.innerHTML=new Date(1e3*(b.s=-~(b.s||b.dataset.s))).toISOString()
.slice(11,b.dataset.n||19).replace(/^0/,'');});},1e3);
  if (location.search && window.history.replaceState) {
    window.history.replaceState(null, '', location.pathname);
  }
  document.addEventListener('focusout', function () { setTimeout(release, 0); });
  if (live && window.EventSource) { listen(); }
}());
