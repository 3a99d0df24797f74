// The switch for desktop notifications asks the browser, and goes back when it says no.
const choice = document.getElementById("id_notifies");
const refused = document.getElementById("notifies-refused");

choice.addEventListener("change", async () => {
  refused.hidden = true;
  if (!choice.checked) return;
  const answer = "Notification" in window ? await Notification.requestPermission() : "denied";
  choice.checked = answer === "granted";
  refused.hidden = choice.checked;
});
