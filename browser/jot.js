// A session: tokens in HttpOnly cookies, or in the memory of this origin's tabs.

export class Session extends EventTarget {
  #issuer; #apis; #cookies; #tokens = null; #round = 0; #renewal; #tabs; #ready;

  // A login, refresh or logout in any tab dispatches "change".
  // issuer is the server's URL, apis are the origins that get its tokens.
  constructor({ issuer = location.origin, apis = [location.origin], cookies = false } = {}) {
    super();
    this.#issuer = issuer; this.#apis = apis; this.#cookies = cookies;
    this.#tabs = new BroadcastChannel(`jot ${issuer}`);
    this.#tabs.onmessage = ({ data }) => {
      if (data === "tokens?") this.#tokens && this.#tabs.postMessage({ ...this.#tokens, told: true });
      else if (!data?.told || !this.#round) this.#adopt(data); // it may be old
    };
    this.#ready = cookies || new Promise((ready) => {
      this.addEventListener("change", ready);
      setTimeout(ready, 200);
      this.#tabs.postMessage("tokens?");
    });
  }

  logIn(username, password, more) {
    return this.#alone(async () =>
      this.#share(await ok(await this.#post("login", { username, password, cookies: this.#cookies, ...more })).json()));
  }

  async logOut(everywhere = false) {
    await this.#ready;
    await this.#alone(async () => {
      ok(await this.#post("logout", { everywhere, refresh_token: this.#tokens?.refresh_token }), 401);
      await this.#share(null);
    });
  }

  // fetch is the browser's with the token; on a 401 it refreshes and tries again.
  async fetch(input, init) {
    const request = new Request(input, init), again = request.clone();
    if (!this.#apis.includes(new URL(request.url).origin)) return fetch(request);
    await this.#ready;
    const round = this.#round, renew = () => this.#renew(round).then(() => true, () => false);
    let answer = await this.#send(request);
    if (answer.status === 401 && await renew()) answer = await this.#send(again);
    if (answer.headers.get("Jot-Refresh")) setTimeout(renew, Math.random() * 60_000);
    return answer;
  }

  // claims are the user's, or null: for display only.
  async claims() {
    if (this.#cookies) {
      const answer = await this.fetch(`${this.#issuer}/v1/me`);
      if (answer.status === 401) return null;
      const { claims, ...more } = await ok(answer).json();
      return { ...claims, ...more };
    }
    await this.#ready;
    const payload = this.#tokens?.access_token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
    return payload ? new Response(Uint8Array.from(atob(payload), (c) => c.charCodeAt())).json() : null;
  }

  #send(request, token = this.#tokens?.access_token) {
    if (token) request.headers.set("Authorization", `Bearer ${token}`);
    return fetch(request);
  }

  // One tab at a time changes the session.
  #alone(change) { return navigator.locks.request(this.#tabs.name, change); }

  #renew(round) {
    return this.#renewal ??= this.#alone(async () => {
      if (this.#round !== round) return;
      const answer = await this.#post("refresh", { refresh_token: this.#tokens?.refresh_token });
      if (answer.status === 401) await this.#share(null);
      await this.#share(await ok(answer).json());
    }).finally(() => { this.#renewal = null; });
  }

  #post(path, body) {
    return fetch(`${this.#issuer}/v1/${path}`, {
      method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" },
      credentials: this.#cookies ? "include" : "omit", signal: AbortSignal.timeout(10_000),
    });
  }

  async #share(tokens) {
    this.#adopt(tokens);
    this.#tabs.postMessage(tokens);
    await new Promise((told) => setTimeout(told, 50)); // the other tabs
  }

  #adopt(tokens) {
    this.#tokens = tokens;
    this.#round++;
    this.dispatchEvent(new Event("change"));
  }
}

function ok(answer, too) {
  if (answer.ok || answer.status === too) return answer;
  throw Object.assign(new Error(`${answer.url}: ${answer.status}`), { status: answer.status });
}
