// A session: tokens in HttpOnly cookies, or in the memory of this origin's tabs.
// What claims() says is for display: only the server's check counts.

const HANDOVER = 200, TIMEOUT = 10_000, ADVICE = 60_000; // milliseconds

export class Session extends EventTarget {
  #issuer; #apis; #cookies; #tokens = null; #round = 0; #renewal = null; #channel; #ready;

  // It dispatches "change" after a login, refresh and logout in any tab.
  // issuer is the server's URL; apis are the origins that get its tokens.
  constructor({ issuer = location.origin, apis = [location.origin], cookies = false } = {}) {
    super();
    this.#issuer = issuer; this.#apis = apis; this.#cookies = cookies;
    this.#channel = new BroadcastChannel(`jot ${issuer}`);
    this.#channel.onmessage = ({ data }) => {
      if (data !== "tokens?") this.#adopt(data);
      else if (this.#tokens) this.#channel.postMessage(this.#tokens);
    };
    this.#ready = cookies || new Promise((ready) => {
      this.addEventListener("change", ready);
      setTimeout(ready, HANDOVER);
      this.#channel.postMessage("tokens?");
    });
  }

  async logIn(username, password, more) {
    this.#share(await ok(await this.#post("login", { username, password, cookies: this.#cookies, ...more })).json());
  }

  async logOut(everywhere = false) {
    await this.#ready;
    const answer = await this.#post("logout", { everywhere, refresh_token: this.#tokens?.refresh_token });
    if (answer.status !== 401) ok(answer);
    this.#share(null);
  }

  // fetch is the browser's with the token; on a 401 it refreshes and tries again.
  async fetch(input, init) {
    const request = new Request(input, init), again = request.clone();
    if (!this.#apis.includes(new URL(request.url).origin)) return fetch(request);
    await this.#ready;
    const round = this.#round, renew = () => this.#renew(round).then(() => true, () => false);
    let answer = await this.#send(request);
    if (answer.status === 401 && await renew()) answer = await this.#send(again);
    if (answer.headers.get("Jot-Refresh")) setTimeout(renew, Math.random() * ADVICE);
    return answer;
  }

  // claims are the user's, or null: what to show.
  async claims() {
    if (this.#cookies) {
      const answer = await this.fetch(`${this.#issuer}/v1/me`);
      if (answer.status === 401) return null;
      const { claims, ...more } = await ok(answer).json();
      return { ...claims, ...more };
    }
    await this.#ready;
    const payload = this.#tokens?.access_token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    return payload ? JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(payload), (c) => c.charCodeAt()))) : null;
  }

  #send(request) {
    if (this.#tokens?.access_token) request.headers.set("Authorization", `Bearer ${this.#tokens.access_token}`);
    return fetch(request);
  }

  // One tab refreshes, for all.
  #renew(round) {
    return this.#renewal ??= navigator.locks.request(`jot ${this.#issuer}`, async () => {
      if (this.#round !== round) return;
      const answer = await this.#post("refresh", { refresh_token: this.#tokens?.refresh_token });
      if (answer.status === 401) this.#share(null);
      this.#share(await ok(answer).json());
      await new Promise((told) => setTimeout(told, 50)); // the other tabs
    }).finally(() => { this.#renewal = null; });
  }

  #post(path, body) {
    return fetch(`${this.#issuer}/v1/${path}`, {
      method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" },
      credentials: this.#cookies ? "include" : "omit", signal: AbortSignal.timeout(TIMEOUT),
    });
  }

  #share(tokens) {
    this.#adopt(tokens);
    this.#channel.postMessage(tokens);
  }

  #adopt(tokens) {
    this.#tokens = tokens;
    this.#round++;
    this.dispatchEvent(new Event("change"));
  }
}

function ok(answer) {
  if (answer.ok) return answer;
  throw Object.assign(new Error(`${answer.url}: ${answer.status}`), { status: answer.status });
}
