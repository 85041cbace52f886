// Reads the keyboard. A page says which keys it knows; nothing happens while somebody types or converts Japanese.

const bound = new Map();
let waitingForSecond = false;

// `bind('Alt+k', action)`, `bind('g q', action)`. An action that returns false leaves the key to the browser.
export function bind(keys, action) {
  bound.set(keys, action);
}

const composing = (event) => event.isComposing || event.keyCode === 229;

function typing(target) {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.matches('textarea, select')) return true;
  return target.matches('input') && !['radio', 'checkbox', 'button', 'submit'].includes(target.type);
}

function name(event) {
  // With Alt, a Mac gives a letter of its own; the key's place tells which one was meant.
  const letter = event.altKey && event.code.startsWith('Key') ? event.code.slice(3).toLowerCase() : event.key;
  const command = event.ctrlKey || event.metaKey;
  return `${command ? 'Mod+' : ''}${event.altKey ? 'Alt+' : ''}${letter.length === 1 ? letter.toLowerCase() : letter}`;
}

document.addEventListener('keydown', (event) => {
  if (composing(event) || event.defaultPrevented) return;
  const inField = typing(event.target);
  let keys = name(event);
  if (keys === 'Escape' && inField) {
    event.target.blur();
    return;
  }
  const modified = event.ctrlKey || event.metaKey || event.altKey;
  if (inField && !modified) return;
  // What stands in front has the keyboard to itself; the browser closes it by Escape.
  if (document.querySelector('dialog[open]')) return;
  if (waitingForSecond) {
    waitingForSecond = false;
    keys = `g ${keys}`;
  } else if (keys === 'g' && !event.repeat) {
    waitingForSecond = true;
    setTimeout(() => { waitingForSecond = false; }, 1500);
    return;
  }
  const action = bound.get(keys);
  if (!action || (event.repeat && modified)) return;
  if (action(event) !== false) event.preventDefault();
});
