// The few things that come in front of the page: the sheet of shortcuts, a question before something final, a short word.

const japanese = document.documentElement.lang === 'ja';

export function openHelp() {
  const help = document.getElementById('help');
  if (help && !help.open) help.showModal();
}

// Asks once more. Resolves to true only when the person says so.
export function confirmed(question) {
  const dialog = document.createElement('dialog');
  const text = document.createElement('p');
  text.textContent = question;
  const form = document.createElement('form');
  form.method = 'dialog';
  const no = document.createElement('button');
  no.value = 'no';
  no.textContent = japanese ? '戻る' : 'Back';
  const yes = document.createElement('button');
  yes.value = 'yes';
  yes.className = 'primary';
  yes.textContent = japanese ? '実行する' : 'Do it';
  form.append(no, yes);
  dialog.append(text, form);
  document.body.append(dialog);
  dialog.showModal();
  yes.focus();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      resolve(dialog.returnValue === 'yes');
      dialog.remove();
    });
  });
}

export function say(text, bad = false) {
  const place = document.getElementById('toast');
  if (!place) return;
  const line = document.createElement('p');
  line.textContent = text;
  line.classList.toggle('bad', bad);
  place.replaceChildren(line);
  setTimeout(() => line.remove(), bad ? 8000 : 2500);
}

// Sends a form without leaving the page. Resolves to true when the server did it; says why when it did not.
export async function send(form) {
  const buttons = form.querySelectorAll('button');
  for (const button of buttons) button.disabled = true;
  try {
    const answer = await fetch(form.action, {
      method: 'POST',
      headers: { accept: 'text/plain' },
      body: new URLSearchParams(new FormData(form)),
    });
    if (answer.ok) return true;
    say(await answer.text(), true);
  } catch {
    say(japanese ? '接続できません。もう一度お試しください。' : 'No connection. Please try again.', true);
  } finally {
    for (const button of buttons) button.disabled = false;
  }
  return false;
}
