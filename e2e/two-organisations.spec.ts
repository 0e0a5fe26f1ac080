/**
 * README, "Two organisations", command by command, as two operators and a data owner on machines of their own run
 * it: state folders that share nothing, an answer in the page, in the SDK and on the command line; and what each of
 * them says when one operator pins another identity than the other has.
 */
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Browser, expect, test } from '@playwright/test';
import { App } from './support/app.ts';
import { ARGS } from './support/browser.ts';
import { Command, ROOT } from './support/command.ts';
import { type Machine, Machines, whyNoMachines } from './support/machines.ts';

const TEXT = 'The capital of Norway is [MASK].';
const STRANGER = 'ab'.repeat(32);
const reason = whyNoMachines();
test.skip(reason !== undefined && process.env['REQUIRE_NAMESPACES'] !== '1', reason ?? '');
test.setTimeout(300_000);

/** The commands of the section, without their comments. */
function readmeCommands(): string[] {
  const section =
    /^## Two organisations$([\s\S]*?)^## /m.exec(readFileSync(join(ROOT, 'README.md'), 'utf8'))?.[1] ?? '';
  const [, block] = /```sh\n([\s\S]*?)```/.exec(section) ?? [];
  return (block ?? '')
    .split('\n')
    .map((line) => line.replace(/\s+#.*$/, '').trim())
    .filter((line) => line.startsWith('tercet '));
}

class Walk {
  readonly folder = mkdtempSync(join(tmpdir(), 'tercet-two-'));
  readonly machines = new Machines();
  readonly #words = new Map<string, string>([
    ['HOST1', this.machines.address('one')],
    ['HOST2', this.machines.address('two')],
    ['cert.pem', join(this.folder, 'cert.pem')],
    ['key.pem', join(this.folder, 'key.pem')],
  ]);
  readonly #running: Command[] = [];

  constructor() {
    const names = `subjectAltName=IP:${this.machines.address('one')},IP:${this.machines.address('two')}`;
    const how = [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=two organisations',
      '-addext',
      names,
    ];
    execFileSync('openssl', [...how, '-keyout', this.#word('key.pem'), '-out', this.#word('cert.pem')], {
      stdio: 'ignore',
    });
  }

  home(machine: Machine): string {
    return join(this.folder, machine);
  }

  learn(word: string, value: string): void {
    this.#words.set(word, value);
  }

  /** Starts a line of the README on the machine that it is for. */
  start(line: string, more: readonly string[] = []): Command {
    const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare).slice(1);
    const args = words.map((word) =>
      word.replace(/\b(HEX|HOST)[12]\b|\b(cert|key)\.pem\b/g, (name) => this.#word(name)),
    );
    const machine: Machine = / --party-id 1\b/.test(line) ? 'one' : / --party-id 2\b/.test(line) ? 'two' : 'home';
    const command = new Command([...args, ...more], this.home(machine), {}, this.machines.on(machine));
    this.#running.push(command);
    return command;
  }

  /** What the SDK says in a program on the data owner's machine: an answer, or a typed error. */
  async sdk(): Promise<unknown> {
    const program = `
      const { SecureTransformer, releaseWebRtc } = await import(${JSON.stringify(join(ROOT, 'dist/sdk/node.js'))});
      const said = await (async () => {
        const model = await SecureTransformer.fromPretrained('capitals-bert', { deployment: 'http://127.0.0.1:8420/tercet.json' });
        try { return (await model.predict(${JSON.stringify(TEXT)})).predictions[0].token; }
        finally { await model.dispose(); }
      })().catch(({ code, party, message }) => ({ code, party, message }));
      await releaseWebRtc();
      console.log(JSON.stringify(said));`;
    const path = join(this.folder, 'program.mjs');
    writeFileSync(path, program);
    const [file, ...rest] = [...this.machines.on('home'), process.execPath, path];
    const { stdout } = await promisify(execFile)(file, rest, {
      env: { PATH: process.env['PATH'], HOME: this.home('home'), NODE_EXTRA_CA_CERTS: this.#word('cert.pem') },
    });
    return JSON.parse(stdout);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#running.map((command) => command.stop()));
    this.machines.remove();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #word(name: string): string {
    const found = this.#words.get(name);
    if (found === undefined) throw new Error(`nothing is known of ${name} yet`);
    return found;
  }
}

test('two organisations that share nothing serve a page, a program and the command line, as the README says', async ({
  playwright,
}) => {
  const walk = new Walk();
  let browser: Browser | undefined;
  try {
    const lines = readmeCommands();
    const [identity1, identity2, party1, party2, site, infer] = lines;
    expect(lines.map((line) => line.split(' ')[1])).toEqual([
      'identity',
      'identity',
      'party',
      'party',
      'site',
      'infer',
    ]);
    walk.learn('HEX1', (await walk.start(identity1).output()).trim());
    walk.learn('HEX2', (await walk.start(identity2).output()).trim());
    const small = ['--device', 'wasm', '--threads', '1'];
    const one = walk.start(party1, small);
    await one.said(/party 1 computes on/);
    let two = walk.start(party2, small);
    await two.said(/party 2 computes on/);
    await walk.start(site).said(/the web app is at/);

    expect(JSON.parse(await walk.start(infer, ['--json']).output())).toMatchObject({
      result: { predictions: [{ token: 'oslo' }, {}, {}, {}, {}] },
    });
    expect(await walk.sdk()).toBe('oslo');
    browser = await playwright.chromium.launch({
      executablePath: walk.machines.browserAtHome(walk.folder),
      args: [...ARGS, '--ignore-certificate-errors'],
    });
    const app = new App(await browser.newPage(), 'http://127.0.0.1:8420/');
    // Three parties and a browser share this machine's cores, whatever the namespaces say.
    app.patienceMs = 60_000;
    await app.open();
    expect((await app.ask(TEXT))[0].word).toBe('oslo');
    expect(await app.figure('p1.health')).toMatch(/online/);

    // Each folder has the key of its own party alone, and the data owner has none.
    const kept = (machine: Machine) => readdirSync(walk.home(machine), { recursive: true }).map(String);
    expect(kept('one').sort()).toEqual(['certificates', 'certificates/identity-party-1.key']);
    expect(kept('two').sort()).toEqual(['certificates', 'certificates/identity-party-2.key']);

    // Operator 2 was told another identity of party 1: everybody hears who did not prove itself to whom, and nobody
    // accuses the party that the owner reached.
    await two.stop();
    two = walk.start(party2.replace('1=HEX1', `1=${STRANGER}`), small);
    await two.said(/party 2 computes on/);
    await app.run('The capital of Spain is [MASK].');
    await expect(app.error).toContainText('The two compute parties do not accept each other’s identity');
    await expect(app.error).toContainText(
      'Party 1 did not prove to the other compute party who it is. Each of them proved it to this page.',
    );
    await expect(app.error).not.toContainText('not the party you chose');
    await app.shot('error-two-organisations');
    const said = /party 1 did not prove its identity to party 2, says party 2/;
    expect(await walk.sdk()).toEqual({ code: 'ERR_IDENTITY_PEERS', party: 1, message: expect.stringMatching(said) });
    await expect(walk.start(infer, ['--json']).output()).rejects.toThrow(said);
    // Its own operator reads where and why.
    await two.said(/ERR_IDENTITY_PEERS \(party 1\): a certificate or an identity was not accepted/);

    // The right identity again, and the same tab answers.
    await two.stop();
    await walk.start(party2, small).said(/party 2 computes on/);
    await app.button.click();
    expect((await app.answer())[0].word).toBe('madrid');
  } finally {
    await browser?.close();
    await walk.stop();
  }
});
