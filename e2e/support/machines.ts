/** Machines of their own for two operators and a data owner: network namespaces on one bridge. Needs Linux and root. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from './browser.ts';

export type Machine = 'one' | 'two' | 'home';
const MACHINES: readonly Machine[] = ['one', 'two', 'home'];
const ADDRESSES: Readonly<Record<Machine, string>> = { one: '10.79.0.1', two: '10.79.0.2', home: '10.79.0.3' };

const ip = (...args: readonly string[]): void => void execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });

/** Why there are none here, or undefined. */
export function whyNoMachines(): string | undefined {
  const name = `t${process.pid}p`;
  try {
    ip('netns', 'add', name);
    ip('netns', 'del', name);
    return undefined;
  } catch {
    return 'network namespaces need Linux, root and iproute2';
  }
}

export class Machines {
  readonly #prefix = `t${process.pid}`;

  constructor() {
    try {
      ip('netns', 'add', this.#name('net'));
      const inside = ['-n', this.#name('net'), 'link'];
      ip(...inside, 'add', 'bridge', 'type', 'bridge');
      ip(...inside, 'set', 'bridge', 'up');
      for (const machine of MACHINES) {
        const [name, end] = [this.#name(machine), `e-${machine}`];
        ip('netns', 'add', name);
        ip(...inside, 'add', end, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
        ip(...inside, 'set', end, 'master', 'bridge');
        ip(...inside, 'set', end, 'up');
        ip('-n', name, 'addr', 'add', `${ADDRESSES[machine]}/24`, 'dev', 'eth0');
        for (const device of ['eth0', 'lo']) ip('-n', name, 'link', 'set', device, 'up');
      }
    } catch (error) {
      this.remove();
      throw error;
    }
  }

  address(machine: Machine): string {
    return ADDRESSES[machine];
  }

  /** What runs a command there. */
  on(machine: Machine): string[] {
    return ['ip', 'netns', 'exec', this.#name(machine)];
  }

  /** A command that starts Chromium on the data owner's machine. @param folder for it */
  browserAtHome(folder: string): string {
    const path = join(folder, 'chromium-at-home');
    writeFileSync(path, `#!/bin/sh\nexec ${this.on('home').join(' ')} ${chromium()} "$@"\n`, { mode: 0o755 });
    return path;
  }

  remove(): void {
    for (const machine of ['net', ...MACHINES]) {
      try {
        ip('netns', 'del', this.#name(machine));
      } catch {
        // It was not made.
      }
    }
  }

  #name(machine: string): string {
    return `${this.#prefix}-${machine}`;
  }
}
