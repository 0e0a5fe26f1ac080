/** The web app with both parties on this machine, as `npm start` serves it: what a data owner's tests connect to. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../cli/command.ts';

export class LocalDemo {
  readonly #child: ChildProcess;
  #log = '';

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /**
   * @param home folder for certificates and identities. Returns once the page is served, with the address of its
   * deployment document.
   */
  static async start(home: string, args: readonly string[] = []): Promise<{ demo: LocalDemo; deployment: string }> {
    const command = [join(ROOT, 'dist/cli/main.js'), 'demo', '--no-open', '--port', '0', ...args];
    const child = spawn(process.execPath, command, {
      env: { ...process.env, TERCET_HOME: home },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const demo = new LocalDemo(child);
    const url = await new Promise<string>((resolve, reject) => {
      const read = (chunk: Buffer) => {
        demo.#log += String(chunk);
        const found = /In your browser: +(\S+)[\s\S]*your credential: \S.*\n/.exec(demo.#log)?.[1];
        if (found !== undefined) resolve(found);
      };
      child.stdout?.on('data', read);
      child.stderr?.on('data', read);
      child.on('exit', () => reject(new Error(demo.#log)));
    });
    return { demo, deployment: `${url}tercet.json` };
  }

  /** Everything that it and its parties have said. */
  get log(): string {
    return this.#log;
  }

  /** The credential file that the user of this machine gives for a model with secret weights. */
  async credential(model: string): Promise<Uint8Array> {
    const folder = /your credential: a file in (\S+)/.exec(this.#log)?.[1] ?? '';
    return readFile(join(folder, `${model}.credential.json`));
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.on('exit', resolve));
    this.#child.kill('SIGINT');
    await ended;
  }
}
