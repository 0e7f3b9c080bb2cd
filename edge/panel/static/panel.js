/* SPDX-License-Identifier: Apache-2.0
   Keeps the duty page fresh; without it the page works by forms and a link.
   ES5 on purpose: the oldest tablets (Safari 10, Android 5) must read it. */
(function () {
  'use strict';
  var held = {};
  var isOpen = false;

  function byId(id) { return document.getElementById(id); }

  function show(id, isShown) { byId(id).hidden = !isShown; }

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
    var source = new EventSource('/live');
    source.onopen = function () {
      isOpen = true;
      show('lost', false);
      show('still', false);
    };
    source.onerror = function () {
      show('lost', isOpen);
      show('still', true);
      /* Browsers give up for good on an answer that is no stream: begin anew. */
      if (source.readyState === 2) {
        source.close();
        setTimeout(listen, 3000);
      }
    };
    source.addEventListener('page', function (event) {
      if (event.data !== document.body.getAttribute('data-key')) {
        location.replace('/');
      }
    });
    source.addEventListener('part', function (event) {
      put(JSON.parse(event.data));
    });
  }

  if (location.search && window.history.replaceState) {
    window.history.replaceState(null, '', '/');
  }
  document.addEventListener('focusout', function () { setTimeout(release, 0); });
  if (window.EventSource) { listen(); }
}());
