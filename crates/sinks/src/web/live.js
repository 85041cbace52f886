// Loads the page again as soon as the sink has something that this page does not show.
const seen = document.body.dataset.seen;

async function waitForNews() {
  for (;;) {
    try {
      const answer = await fetch(`/wait?seen=${seen}`);
      if (answer.status === 200) return location.reload();
    } catch {
      // The sink is being restarted: ask again in a moment.
      await new Promise((done) => setTimeout(done, 2000));
    }
  }
}

waitForNews();
