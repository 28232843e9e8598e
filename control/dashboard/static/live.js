// What the runtime says, kept fresh while somebody looks: services, readiness, events, the start.

import { NoAnswer, NotIn, get } from "./api.js";

const PAUSE_MS = 2000;
/** Between two looks at CPU and memory, which nobody tells by events. */
const HEAR_MS = 250;
/** Between two questions for events: a runtime that stops answers them at once. */
const AGAIN_MS = 1000;
const ANSWER_MS = 5000;
/** So long a look waits for its answers: a runtime that stands still keeps the connection open. */
const WAIT_S = 25;
/** So long one question for new events is kept open. */
export const EVENTS_KEPT = 1000;

/** @typedef {{status: any, readiness: any, timelines: any, events: any[], reached: boolean}} Picture */

export class Live {
  /** @type {Picture} */
  picture = { status: null, readiness: null, timelines: null, events: [], reached: true };
  #seq = -1;
  #asked = 0;
  #changed;
  #over;
  /** @type {AbortController | null} */
  #watching = null;

  /**
   * @param {(picture: Picture) => void} changed called whenever something may have changed
   * @param {() => void} over called when this browser is in no longer
   */
  constructor(changed, over) {
    this.#changed = changed;
    this.#over = over;
    document.addEventListener("visibilitychange", () => this.#follow());
    this.#follow();
  }

  /** Looks again soon: something was asked for. */
  hurry() {
    this.#look().catch(() => undefined); // the next look says what is wrong
  }

  /** A page that nobody sees asks nothing: a browser has six connections for all of its tabs. */
  #follow() {
    this.#watching?.abort();
    this.#watching = document.hidden ? null : new AbortController();
    if (!this.#watching) return;
    void this.#repeat(this.#watching.signal, () => this.#look(false), PAUSE_MS);
    void this.#repeat(this.#watching.signal, (signal) => this.#hear(signal), HEAR_MS);
  }

  /**
   * @param {AbortSignal} signal
   * @param {(signal: AbortSignal) => Promise<void>} step
   * @param {number} pause
   */
  async #repeat(signal, step, pause) {
    while (!signal.aborted) {
      let wait = pause;
      try {
        await step(signal);
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof NotIn) return this.#end();
        if (error instanceof NoAnswer) this.#show({ reached: false });
        wait = AGAIN_MS;
      }
      await new Promise((go) => setTimeout(go, wait));
    }
  }

  /** @param {boolean} [happened] whether something has: a start that is over stays as it was */
  async #look(happened = true) {
    const mine = ++this.#asked;
    const known = this.picture.timelines;
    const stays = !happened && Number.isFinite(known?.timeline.ready_ms);
    const soon = AbortSignal.timeout(ANSWER_MS);
    const [status, readiness, timelines] = await Promise.all([
      get("/status", {}, soon),
      get("/readyz", {}, soon),
      stays ? known : get("/timeline", { earlier: "1" }, soon),
    ]);
    if (mine === this.#asked) this.#show({ status, readiness, timelines, reached: true });
  }

  /** @param {AbortSignal} signal */
  async #hear(signal) {
    if (this.#seq < 0) {
      const { next } = await get("/events", { after: "latest" }, signal);
      this.#seq = Math.max(0, next - EVENTS_KEPT);
    }
    const page = await get("/events", { after: this.#seq, wait: WAIT_S }, signal);
    this.#seq = page.next;
    if (!page.events.length) return;
    this.#show({ events: [...this.picture.events, ...page.events].slice(-EVENTS_KEPT) });
    await this.#look();
  }

  /** @param {Partial<Picture>} news */
  #show(news) {
    this.picture = { ...this.picture, ...news };
    this.#changed(this.picture);
  }

  #end() {
    this.#watching?.abort();
    this.#over();
  }
}
