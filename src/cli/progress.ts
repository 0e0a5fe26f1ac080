/** One line of progress on a terminal; a line per section elsewhere; nothing when the output is for a program. */
import type { Progress } from '../mpc/protocol/frame/engine.ts';
import type { RunPhase } from './inference.ts';

const PHASES: Record<RunPhase, string> = {
  start: 'starting two compute parties',
  connect: 'connecting over mutual TLS',
  preprocess: 'dealing correlations ahead of the text',
  online: 'computing on shares',
  compare: 'running the plaintext model for comparison',
  done: '',
};
const BAR = 24;

export class ProgressLine {
  readonly #out: NodeJS.WriteStream;
  readonly #on: boolean;
  #phase: RunPhase = 'start';
  #last = '';
  #gate = -1;
  #shown = false;

  constructor(out: NodeJS.WriteStream, on: boolean) {
    this.#out = out;
    this.#on = on;
  }

  phase(phase: RunPhase): void {
    this.#phase = phase;
    this.#gate = -1;
    if (phase !== 'done') this.#show(PHASES[phase]);
  }

  /** P0 shows the dealing; P1 shows the online phase, which P0 has no part in. */
  progress(party: 0 | 1 | 2, { phase, section, gate, done, total }: Progress): void {
    if (!(phase === 'deal' && party === 0) && !(phase === 'online' && party === 1)) return;
    if ((phase === 'online' && this.#phase !== 'online') || section === '' || gate < this.#gate) return;
    this.#gate = gate;
    const layer =
      section.split('/').length > 2
        ? section.split('/').slice(0, 2).join('/')
        : section.split('/').slice(0, 1).join('/');
    const filled = Math.round((BAR * done) / Math.max(1, total));
    const bar = `${'█'.repeat(filled)}${'░'.repeat(BAR - filled)}`;
    this.#show(`${phase === 'deal' ? 'ahead ' : 'online'} ${bar} ${layer}`);
  }

  /** Others compute first. */
  queued(before: number, ms: number | undefined): void {
    const about = ms === undefined || ms < 1000 ? '' : `, about ${Math.ceil(ms / 1000)} s`;
    this.#show(`waiting for ${before} ${before === 1 ? 'run' : 'runs'} of others${about} (Ctrl-C gives up)`);
  }

  end(): void {
    if (this.#shown && this.#out.isTTY) this.#out.write('\r\x1b[2K');
    this.#shown = false;
  }

  #show(text: string): void {
    if (!this.#on || text === this.#last) return;
    if (this.#out.isTTY) {
      this.#out.write(`\r\x1b[2K  ${text}`);
      this.#shown = true;
    } else if (!text.includes('█') && !text.includes('░')) this.#out.write(`  ${text}\n`);
    else {
      // Without a terminal: one line per layer, not per step.
      const layer = text.replace(/[█░]+ /, '');
      if (layer !== this.#last.replace(/[█░]+ /, '')) this.#out.write(`  ${layer}\n`);
    }
    this.#last = text;
  }
}
