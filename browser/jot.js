// A session: tokens in HttpOnly cookies, or in the memory of an origin's tabs.

export class Session extends EventTarget {
  #issuer; #apis; #cookies; #tokens; #login = 0; #renewal; #tabs; #ready;

  // A login, refresh or logout in any tab dispatches "change".
  // issuer is the server, apis the origins that get its tokens.
  constructor({ issuer = location.origin, apis = [location.origin], cookies } = {}) {
    super();
    this.#issuer = issuer; this.#apis = apis; this.#cookies = cookies;
    this.#tabs = new BroadcastChannel(`jot ${issuer}`);
    this.#tabs.onmessage = ({ data }) => {
      if (data === "tokens?") this.#tokens && this.#tabs.postMessage({ ...this.#tokens, via: "tab" });
      else if (data?.via !== "tab" || this.#tokens === undefined) this.#adopt(data); // it may be old
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

  async logOut(everywhere) {
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
    const tokens = this.#tokens, login = this.#login, renew = () => this.#renew(tokens).then(() => login === this.#login, () => {});
    let answer = await this.#send(request);
    if (answer.status === 401 && await renew()) answer = await this.#send(again);
    if (answer.headers.get("Jot-Refresh")) setTimeout(renew, Math.random() * 6e4);
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
  #alone = (change) => navigator.locks.request(this.#tabs.name, change);

  #renew(tokens) {
    return this.#renewal ??= this.#alone(async () => {
      if (this.#tokens !== tokens) return;
      const answer = ok(await this.#post("refresh", { refresh_token: tokens?.refresh_token }), 401);
      await this.#share(answer.ok ? { ...await answer.json(), via: "refresh" } : null);
    }).finally(() => this.#renewal = null);
  }

  #post(path, body) {
    return fetch(`${this.#issuer}/v1/${path}`, {
      method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" },
      credentials: this.#cookies ? "include" : "omit", signal: AbortSignal.timeout(1e4),
    });
  }

  #share(tokens) {
    this.#adopt(tokens);
    this.#tabs.postMessage(tokens);
    return new Promise((told) => setTimeout(told, 50)); // other tabs
  }

  #adopt(tokens) {
    this.#tokens = tokens;
    if (!tokens?.via) this.#login++;
    this.dispatchEvent(new Event("change"));
  }
}

function ok(answer, too) {
  const { url, status } = answer;
  if (answer.ok || status === too) return answer;
  throw Object.assign(new Error(`${url}: ${status}`), { status });
}
