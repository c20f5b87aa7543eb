// A session: tokens in HttpOnly cookies, or in the memory of an origin's tabs.

export class Session extends EventTarget {
  #issuer; #apis; #cookies; #client; #tokens; #login = 0; #renewal; #tabs; #ready;

  // A login, refresh or logout in any tab dispatches "change".
  constructor({ issuer = location.origin, apis = [location.origin], cookies, client } = {}) {
    super();
    this.#issuer = issuer; this.#apis = apis; this.#cookies = cookies; this.#client = client;
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

  logIn(username, password, more) { return this.complete({ username, password, ...more }, ""); }

  complete(proof, step = "/factor") {
    return this.#alone(() => this.#take("login" + step, { cookies: this.#cookies, ...proof }));
  }

  async logOut(everywhere) {
    await this.#ready;
    await this.#alone(() => this.#take("logout", { everywhere }, "logout"));
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

  async claims() {
    if (this.#cookies) {
      const answer = await this.fetch(`${this.#issuer}/v1/me`);
      if (answer.status === 401) return null;
      const { claims, ...more } = await json(answer);
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
      if (this.#tokens === tokens) await this.#take("refresh", {}, "refresh");
    }).finally(() => this.#renewal = null);
  }

  async #take(path, body, via) { // via: of the session that there is
    const answer = await fetch(`${this.#issuer}/v1/${path}`, {
      method: "POST", headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ ...body, client_id: this.#client, refresh_token: via && this.#tokens?.refresh_token }),
      credentials: this.#cookies ? "include" : "omit", signal: AbortSignal.timeout(1e4),
    });
    const given = via && answer.status === 401 ? null : await json(answer), tokens = given && { ...given, via };
    this.#adopt(tokens);
    this.#tabs.postMessage(tokens);
    await new Promise((told) => setTimeout(told, 50)); // the other tabs
  }

  #adopt(tokens) {
    this.#tokens = tokens;
    if (!tokens?.via) this.#login++;
    this.dispatchEvent(new Event("change"));
  }
}

async function json(answer) {
  const body = await answer.json().catch(() => null);
  if (answer.ok) return body;
  throw Object.assign(new Error(`${answer.url}: ${answer.status}`), body, { status: answer.status });
}
