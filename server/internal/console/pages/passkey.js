// Asks the browser for a passkey where a form says so, and sends its answer with the form. Where there are no passkeys, or no scripts, such a form stays
// hidden, and the rest of the page works as it is.
for (const form of document.querySelectorAll("form[data-options]")) {
  const creates = "create" in form.dataset;
  const parse = creates ? "parseCreationOptionsFromJSON" : "parseRequestOptionsFromJSON";
  if (!globalThis.PublicKeyCredential?.[parse]) continue;
  const problem = form.querySelector("[role=alert]");
  const button = form.querySelector("button");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    problem.hidden = true;
    try {
      const publicKey = PublicKeyCredential[parse](JSON.parse(form.dataset.options).publicKey);
      const credential = creates ? await navigator.credentials.create({ publicKey }) : await navigator.credentials.get({ publicKey });
      form.elements.credential.value = JSON.stringify(credential);
      form.submit();
    } catch {
      problem.hidden = false; // cancelled, too late, or no passkey at hand: browsers don't tell
      button.disabled = false;
    }
  });
  form.hidden = false;
  for (const instead of document.querySelectorAll("[data-without-passkeys]")) instead.hidden = true;
}
