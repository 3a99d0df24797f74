// Notifications on the desktop, for whoever asked for them: that there is work, never whose or what it says, since screens
// are looked at by others. One at a time, only while its person looks elsewhere, and only from one of their pages.
const ONE = "inbox";
const SAID = "notified";
const ADDRESSES = { text: "?view=mine&show=unread", given: "?view=mine", called: "mentions/" };

export class Desktop {
  #known = {};

  /** How many there are of each, without a word: when the page begins. */
  know(counts) {
    this.#known = counts;
  }

  /** `counts`: unread conversations of one's own as `text`, those one has as `given`, unseen calls as `called`. */
  tell(counts) {
    const news = ["called", "text", "given"].find((what) => counts[what] > this.#known[what]);
    this.#known = counts;
    if (news && this.#may() && !saidElsewhere(`${news} ${counts[news]}`)) notify(news);
  }

  #may() {
    return (
      document.body.dataset.notifies === "true" &&
      !document.hasFocus() &&
      "Notification" in window &&
      Notification.permission === "granted"
    );
  }
}

function notify(what) {
  const { wordsText, wordsGiven, wordsCalled } = document.body.dataset;
  const words = { text: wordsText, given: wordsGiven, called: wordsCalled };
  const shown = new Notification(words[what], { tag: ONE, icon: document.querySelector("link[rel=icon]").href });
  shown.onclick = () => {
    window.focus();
    location.assign(document.getElementById("search").action + ADDRESSES[what]);
    shown.close();
  };
}

// Several pages of one person hear the same within moments: the first one speaks.
const WITHIN_MS = 10_000;

function saidElsewhere(news) {
  const [last, at] = JSON.parse(localStorage.getItem(SAID) ?? '["", 0]');
  if (last === news && Date.now() - at < WITHIN_MS) return true;
  localStorage.setItem(SAID, JSON.stringify([news, Date.now()]));
  return false;
}
