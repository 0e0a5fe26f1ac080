/**
 * Whether a visitor could see what stands beside the button: that the page around the card gets the answer. Chromium
 * tells a frame whether something covers it or makes it pale (`trackVisibility`); where no browser tells, it counts
 * as seen, and docs/WIDGET.md says so.
 */
interface VisibleEntry extends IntersectionObserverEntry {
  readonly isVisible?: boolean;
}

/** As often as browsers look, at most. */
const DELAY_MS = 100;

export class Sight {
  /** Whether all that was done here since the last text was done in plain sight. */
  agreed = true;
  #seen = true;

  constructor(consent: Element) {
    const options = { threshold: 1, trackVisibility: true, delay: DELAY_MS };
    new IntersectionObserver((entries) => {
      const last = entries.at(-1) as VisibleEntry | undefined;
      if (last?.isVisible !== undefined) this.#seen = last.isIntersecting && last.isVisible;
    }, options).observe(consent);
  }

  /** Somebody typed, or pressed the button. */
  look(): void {
    this.agreed = this.#seen;
  }
}
