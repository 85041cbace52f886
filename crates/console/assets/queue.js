// The queue: a cursor over the rows, a preview beside them, and rows that change in place but never move under a reader.

import { send } from './dialogs.js';
import { bind } from './keys.js';
import { fragment, onChange, parsed } from './live.js';

const preview = document.getElementById('preview');
const STILL_MS = 4000;
let cursor = null;
let lastTouch = 0;
let waiting = null;

const queue = () => document.getElementById('queue');
const rows = () => [...document.querySelectorAll('#rows > tr')];
const row = (id) => (id ? document.getElementById(id) : null);

// ── cursor and preview ─────────────────────────────────────────────────────────────────────────────────────────────

function put(id) {
  row(cursor)?.classList.remove('cursor');
  cursor = id;
  const now = row(id);
  now?.classList.add('cursor');
  now?.scrollIntoView({ block: 'nearest' });
  if (!preview.hidden) showPreview();
}

function move(step) {
  lastTouch = Date.now();
  const all = rows();
  if (all.length === 0) return;
  const at = all.findIndex((r) => r.id === cursor);
  const to = at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + step));
  put(all[to].id);
}

async function showPreview() {
  const id = cursor;
  if (!id) return;
  preview.hidden = false;
  const markup = await fragment(`/fragments/previews/${id}`);
  // Somebody may have moved on while it came.
  if (markup && id === cursor && !preview.hidden) preview.replaceChildren(parsed(markup));
}

function hidePreview() {
  preview.hidden = true;
  preview.replaceChildren();
}

// ── keys ───────────────────────────────────────────────────────────────────────────────────────────────────────────

async function post(name) {
  if (!cursor) return;
  const form = document.createElement('form');
  form.action = `/incidents/${cursor}/${name}`;
  if (await send(form)) refresh();
}

const open = () => { if (cursor) location.href = `/incidents/${cursor}`; };

bind('j', () => move(1));
bind('ArrowDown', () => move(1));
bind('k', () => move(-1));
bind('ArrowUp', () => move(-1));
bind('Enter', (event) => {
  if (event.target.closest?.('a, button, summary') || !cursor) return false;
  if (preview.hidden) showPreview();
  else hidePreview();
});
bind('Escape', hidePreview);
bind('o', open);
bind('Alt+r', open);
bind('a', () => post('acknowledge'));
bind('Alt+k', () => post('acknowledge'));
bind('Alt+y', () => post('assign'));
bind('/', () => {
  const filter = document.getElementById('filter');
  filter?.focus();
  filter?.select();
});
bind('.', applyWaiting);

document.addEventListener('click', (event) => {
  if (event.target.closest('#fresh')) {
    applyWaiting();
    return;
  }
  if (event.target.closest('[data-close]')) {
    hidePreview();
    return;
  }
  const hit = event.target.closest('#rows > tr');
  if (!hit || event.target.closest('a, button, form')) return;
  lastTouch = Date.now();
  const again = hit.id === cursor;
  put(hit.id);
  if (again && !preview.hidden) hidePreview();
  else showPreview();
});
document.addEventListener('pointermove', (event) => {
  if (event.target.closest?.('#rows')) lastTouch = Date.now();
});
document.addEventListener('done', refresh);
document.addEventListener('change', (event) => {
  if (event.target.matches('.filters select')) event.target.form.requestSubmit();
});

// ── live ───────────────────────────────────────────────────────────────────────────────────────────────────────────

// While somebody reads or points at the list, nothing in it moves.
const reading = () => {
  const table = document.getElementById('rows');
  return Boolean(table) && (!preview.hidden || Date.now() - lastTouch < STILL_MS || table.matches(':hover, :focus-within'));
};

async function refresh() {
  const old = queue();
  const markup = await fragment(old.dataset.url);
  if (!markup) return;
  const fresh = parsed(markup).getElementById('queue');
  if (reading() && document.getElementById('rows') && fresh.querySelector('#rows')) inPlace(old, fresh);
  else replace(old, fresh);
  if (!preview.hidden) showPreview();
}

// Rows that are here change where they are; what is new waits for a word; what has left is dimmed.
function inPlace(old, fresh) {
  waiting = fresh;
  old.querySelector('.tiles').replaceWith(fresh.querySelector('.tiles').cloneNode(true));
  const incoming = new Map([...fresh.querySelectorAll('#rows > tr')].map((r) => [r.id, r]));
  for (const r of rows()) {
    const next = incoming.get(r.id);
    r.classList.toggle('gone', !next);
    if (next && next.dataset.v !== r.dataset.v) {
      const copy = next.cloneNode(true);
      copy.classList.add('changed');
      copy.classList.toggle('cursor', r.id === cursor);
      r.replaceWith(copy);
    }
    incoming.delete(r.id);
  }
  const button = document.getElementById('fresh');
  button.hidden = incoming.size === 0;
  button.textContent = button.dataset.many.replace('{n}', String(incoming.size));
}

function replace(old, fresh) {
  const known = new Map(rows().map((r) => [r.id, r.dataset.v]));
  const typed = document.getElementById('filter');
  const keep = typed && document.activeElement === typed ? [typed.value, typed.selectionStart] : null;
  old.replaceWith(fresh);
  waiting = null;
  for (const r of rows()) {
    if (!known.has(r.id)) r.classList.add('came');
    else if (known.get(r.id) !== r.dataset.v) r.classList.add('changed');
  }
  if (keep) {
    const filter = document.getElementById('filter');
    filter.value = keep[0];
    filter.focus();
    filter.setSelectionRange(keep[1], keep[1]);
  }
  if (cursor) row(cursor)?.classList.add('cursor');
}

function applyWaiting() {
  if (waiting) replace(queue(), waiting);
}

onChange(refresh);
// What waited is shown once nobody looks any more.
setInterval(() => { if (waiting && !reading()) applyWaiting(); }, 2000);
