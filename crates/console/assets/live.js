// Hears from the server that something changed and tells whoever wants to know, at most a few times a second.
// Closed while the page is hidden, so that many tabs do not use up the browser's connections.

const listeners = new Set();
const button = document.getElementById('live');
const PAUSED = 'yagura.paused';
const SETTLE_MS = 250;
let source = null;
let paused = sessionStorage.getItem(PAUSED) === 'yes';
let changed = new Set();
let timer = 0;

// `listener` gets the numbers of the incidents that changed; '*' means any.
export function onChange(listener) {
  listeners.add(listener);
}

export const isPaused = () => paused;

export function toggle() {
  paused = !paused;
  sessionStorage.setItem(PAUSED, paused ? 'yes' : 'no');
  if (paused) close();
  else open();
  show(paused ? 'off' : 'on');
}

// The markup behind an address of ours; null when it cannot be had, or when the session has ended.
export async function fragment(url) {
  try {
    const answer = await fetch(url, { headers: { accept: 'text/x-fragment' } });
    if (answer.status === 401) {
      location.reload();
      return null;
    }
    return answer.ok ? await answer.text() : null;
  } catch {
    return null;
  }
}

export function parsed(markup) {
  const template = document.createElement('template');
  template.innerHTML = markup;
  return template.content;
}

function open() {
  if (source || paused || document.hidden) return;
  source = new EventSource('/events');
  source.addEventListener('hello', () => {
    show('on');
    // Whatever happened while nobody listened.
    heard('*');
  });
  source.addEventListener('changed', (event) => heard(event.data));
  source.addEventListener('error', () => {
    // The stream ends now and then by design; only a longer silence is worth a word.
    const silent = source;
    setTimeout(() => { if (source === silent && silent?.readyState !== EventSource.OPEN) show('lost'); }, 4000);
    if (source?.readyState === EventSource.CLOSED) {
      close();
      setTimeout(open, 5000);
    }
  });
}

function close() {
  source?.close();
  source = null;
}

function heard(id) {
  changed.add(id);
  if (timer) return;
  timer = setTimeout(() => {
    const ids = changed;
    changed = new Set();
    timer = 0;
    if (paused) return;
    for (const listener of listeners) listener(ids);
  }, SETTLE_MS);
}

function show(state) {
  if (!button) return;
  button.hidden = false;
  button.dataset.state = state;
  button.setAttribute('aria-pressed', String(state !== 'off'));
  button.querySelector('.word').textContent = button.dataset[state];
}

if ('live' in document.body.dataset) {
  button?.addEventListener('click', toggle);
  document.addEventListener('visibilitychange', () => (document.hidden ? close() : open()));
  show(paused ? 'off' : 'on');
  open();
}
