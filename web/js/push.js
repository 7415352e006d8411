// "Use this browser" on the contact page: asks the browser for a subscription, and sends the form.

const bytes = (text) => {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
};

const subscribe = async (key) => {
  const worker = await navigator.serviceWorker.register("/contact-worker.js");
  await navigator.serviceWorker.ready;
  const asked = { userVisibleOnly: true, applicationServerKey: bytes(key) };
  return worker.pushManager.subscribe(asked);
};

for (const form of document.querySelectorAll("form[data-push]")) {
  if (!("serviceWorker" in navigator && "PushManager" in window)) continue;
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    if (form.elements.address.value) return;
    event.preventDefault();
    try {
      form.elements.address.value = JSON.stringify(await subscribe(form.dataset.push));
      form.submit();
    } catch (error) {
      form.querySelector(".sub").textContent = `This browser did not agree: ${error.message}`;
    }
  });
}
