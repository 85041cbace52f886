// One incident: parts that changed are exchanged, but never under somebody's hands; keys open forms and send none.

import { bind } from './keys.js';
import { fragment, onChange, parsed } from './live.js';

const incident = document.getElementById('incident');
const id = incident?.dataset.id;

function tool(name) {
  const found = document.querySelector(`#desk [data-tool="${name}"]`);
  if (!found) return;
  if (found.matches('form')) {
    found.requestSubmit();
    return;
  }
  found.open = true;
  found.querySelector('textarea, select, input:not([type="hidden"])')?.focus();
}

function verdict(key) {
  const choice = document.querySelector(`#desk input[data-key="${key}"]`);
  if (!choice) return;
  choice.checked = true;
  const details = choice.closest('details');
  details.open = true;
  details.querySelector('textarea').focus();
}

bind('a', () => tool('acknowledge'));
bind('Alt+k', () => tool('acknowledge'));
bind('Alt+y', () => tool('assign'));
bind('Alt+x', () => tool('close'));
bind('n', () => tool('note'));
bind('p', () => tool('present'));
bind('h', () => tool('hold'));
bind('r', () => tool('raise'));
for (const key of ['t', 's', 'f']) bind(key, () => verdict(key));
bind('Escape', () => {
  for (const details of document.querySelectorAll('#desk details[open]')) details.open = false;
});

// A part with the focus, a selection or something typed in it stays as it is.
function inUse(part) {
  if (part.contains(document.activeElement)) return true;
  const selection = getSelection();
  if (selection && !selection.isCollapsed && part.contains(selection.anchorNode)) return true;
  return [...part.querySelectorAll('textarea')].some((field) => field.value.trim() !== field.defaultValue.trim());
}

async function refresh(ids) {
  if (ids && !ids.has(id) && !ids.has('*')) return;
  const markup = await fragment(incident.dataset.url);
  if (!markup) return;
  const fresh = parsed(markup);
  for (const part of incident.querySelectorAll('[data-part], #desk')) {
    const next = fresh.getElementById(part.id);
    if (!next || inUse(part)) continue;
    for (const open of part.querySelectorAll('details[id]')) {
      const same = fresh.getElementById(open.id);
      if (same) same.open = open.open;
    }
    // Those without a number of their own are known by their place while there are as many.
    const [folds, again] = [part, next].map((one) => [...one.querySelectorAll('details:not([id])')]);
    if (folds.length === again.length) folds.forEach((fold, n) => { again[n].open = fold.open; });
    if (next.outerHTML !== part.outerHTML) part.replaceWith(next);
  }
}

onChange(refresh);
document.addEventListener('done', () => refresh());
