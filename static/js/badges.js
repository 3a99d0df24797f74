// The numbers on the rail: who waits, and who calls.
const MOST = 99;

/** As the root of a fragment has them. */
export function showBadges({ dataset: { waiting, called } }) {
  for (const [id, number] of Object.entries({ waiting, called })) {
    const badge = document.getElementById(id);
    badge.hidden = number === "0";
    badge.firstElementChild.textContent = Number(number) > MOST ? `${MOST}+` : number;
  }
}
