/**
 * Two compute parties and the page's server, each a process of its own, so that one of them can be killed, stopped
 * or replaced.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from '@playwright/test';
import { plantOutlier } from '../../test/support/planted.ts';
import { Command, ROOT, freePorts } from './command.ts';
import { Front } from './front.ts';

export const MODELS = {
  'fill-mask': 'capitals-bert',
  'text-classification': 'sst2-bert',
  'question-answering': 'squad-distilbert',
  'token-classification': 'wnut-roberta',
  'text-generation': 'tiny-gpt2',
} as const;
export type Task = keyof typeof MODELS;

export interface DeploymentOptions {
  /** Shapes the link between the parties, which makes a run long enough to be interrupted. */
  readonly profile?: 'wan-cloud' | 'home';
  /** Folder of another page than the web app. */
  readonly app?: string;
  /** Also serve the models with secret weights. */
  readonly secret?: boolean;
  /** A hub that the page's server takes its one model from, and whose origins pages may load from. */
  readonly hub?: { readonly model: string; readonly endpoint: string; readonly origins: readonly string[] };
  /** Serves, to fill blanks, a model whose planned ranges one word leaves. */
  readonly outlier?: boolean;
  /** A dealer too, which the page offers. */
  readonly dealer?: boolean;
  /** Origins of more pages that the parties answer. */
  readonly origins?: readonly string[];
  /** What owners may ask for, where it is not what parties serve by default. */
  readonly protocols?: string;
  /** Party 1 cheats when it is told to (`Deployment.cheats`). */
  readonly cheater?: boolean;
  /** Tasks that are served (default: two). */
  readonly tasks?: readonly Task[];
}

export interface RestartOptions {
  /** Folder of other certificates and another identity. */
  readonly home?: string;
  readonly models?: readonly Task[];
  /** How gadgets are chosen for models whose weights alone prove no ranges. */
  readonly ranges?: 'wide';
}

/** A link that makes runs long enough to be interrupted. One value, so that files which use it share a world. */
export const SLOW_LINK: DeploymentOptions = { profile: 'wan-cloud', tasks: ['fill-mask'] };
const TWO: readonly Task[] = ['fill-mask', 'text-classification'];
const HOST = '127.0.0.1';
const CHEATER = fileURLToPath(new URL('./cheating-party.mjs', import.meta.url));

export class Deployment {
  /** Of the model's owner, and of `infer`. */
  readonly home = mkdtempSync(join(tmpdir(), 'tercet-e2e-'));
  /** Of each operator: two organisations share nothing but the identities that each prints. */
  readonly #homes = [1, 2].map((id) => join(this.home, `operator-${id}`));
  #identities: readonly string[] = [];
  readonly #options: DeploymentOptions;
  readonly #parties: (Command | undefined)[] = [undefined, undefined];
  readonly #tasks: readonly Task[];
  readonly #shares = new Map<Task, string>();
  #site: Command | undefined;
  #dealer: Command | undefined;
  /** Of the two parties for each other, of the two for browsers, of the page's server, and of one in front of it. */
  #ports: readonly number[] = [];

  private constructor(options: DeploymentOptions) {
    this.#options = options;
    this.#tasks = options.tasks ?? TWO;
  }

  static async start(options: DeploymentOptions = {}): Promise<Deployment> {
    const made = new Deployment(options);
    try {
      made.#ports = await freePorts(6);
      const identities = ([1, 2] as const).map((id) =>
        new Command(['identity', '--party-id', String(id)], made.#homes[id - 1]).output(),
      );
      made.#identities = (await Promise.all(identities)).map((line) => line.trim());
      if (options.outlier === true) plantOutlier(made.#modelFolder('fill-mask'));
      if (options.secret === true) {
        const dealer =
          options.dealer === true ? await new Command(['identity', '--dealer'], made.#dealerHome).output() : undefined;
        await Promise.all(made.#tasks.map((task) => made.#share(task, dealer?.trim())));
      }
      await made.restart(1);
      await made.restart(2);
      if (options.dealer === true) await made.startDealer();
      await made.#serve();
      return made;
    } catch (error) {
      await made.stop();
      throw error;
    }
  }

  #modelFolder(task: Task): string {
    const planted = task === 'fill-mask' && this.#options.outlier === true;
    return planted ? join(this.home, 'planted') : join(ROOT, 'models', MODELS[task]);
  }

  /** Address of the page. */
  get url(): string {
    return `http://${HOST}:${this.#ports[4]}/`;
  }

  /** What the page's server printed. */
  get siteLog(): string {
    return this.#site?.log ?? '';
  }

  get tercetJson(): string {
    return `${this.url}tercet.json`;
  }

  /**
   * A server in front of the page's, which can be told to answer wrongly. The parties take its pages too.
   *
   * @param page folder of a page that stands there in place of the web app
   */
  front(page?: string): Promise<Front> {
    return Front.start(this.url, this.#ports[5], page);
  }

  partyUrl(id: 1 | 2): string {
    return `http://${HOST}:${this.#ports[1 + id]}`;
  }

  party(id: 1 | 2): Command {
    const party = this.#parties[id - 1];
    if (party === undefined) throw new Error(`party ${id} does not run`);
    return party;
  }

  /** Sessions that a party has, and how many of them only wait, as its health tells anybody. */
  async places(id: 1 | 2): Promise<{ readonly taken: number; readonly idle: number }> {
    const { places } = (await (await fetch(`${this.partyUrl(id)}/v1/health`)).json()) as {
      readonly places: { readonly taken: number; readonly idle: number };
    };
    return { taken: places.taken, idle: places.idle };
  }

  /** Waits until neither party has a session. */
  async deserted(timeout = 5_000): Promise<void> {
    for (const id of [1, 2] as const)
      await expect
        .poll(() => this.places(id), { message: `sessions of party ${id}`, timeout, intervals: [50] })
        .toEqual({ taken: 0, idle: 0 });
  }

  /** Starts a party where it always is, in place of the one that runs there. Returns the identity that it has. */
  async restart(
    id: 1 | 2,
    { home = this.#homes[id - 1], models = this.#tasks, ranges }: RestartOptions = {},
  ): Promise<string> {
    await this.#parties[id - 1]?.stop();
    const { profile, protocols } = this.#options;
    const origins = [this.#ports[4], this.#ports[5]].map((port) => `http://${HOST}:${port}`);
    if (id === 1 && this.#options.cheater === true) {
      const [port, web] = [this.#ports[0], this.#ports[2]];
      const served = models.map((task) => this.#modelFolder(task));
      const told = { id, port, web, other: this.#identities[1], models: served, origins };
      return this.#started(id, new Command([JSON.stringify(told)], home, {}, [], CHEATER));
    }
    const party = new Command(
      [
        ...[
          'party',
          '--party-id',
          String(id),
          '--port',
          String(this.#ports[id - 1]),
          '--web',
          `${HOST}:${this.#ports[1 + id]}`,
        ],
        ...(id === 2 ? ['--peers', `1=${HOST}:${this.#ports[0]}`] : []),
        ...['--peer-identity', `${3 - id}=${this.#identities[2 - id]}`],
        ...models.flatMap((task) => ['--model', this.#modelFolder(task)]),
        ...[...this.#shares.entries()].flatMap(([task, folder]) =>
          models.includes(task) ? ['--shares', join(folder, `p${id}`)] : [],
        ),
        ...[...origins, ...(this.#options.origins ?? [])].flatMap((allowed) => ['--origins', allowed]),
        ...['--device', 'wasm', '--threads', '1'],
        ...(ranges === undefined ? [] : ['--ranges', ranges]),
        ...(protocols === undefined ? [] : ['--protocols', protocols]),
        ...(profile === undefined ? [] : ['--profile', profile]),
      ],
      home,
    );
    return this.#started(id, party);
  }

  async #started(id: 1 | 2, party: Command): Promise<string> {
    this.#parties[id - 1] = party;
    const [, identity] = await party.said(/serves browsers at \S+, identity ([0-9a-f]{64})/);
    return identity;
  }

  /** Has party 1 cheat from now on, or not any more. It is told to change what it does: so never twice the same. */
  async cheats(wanted: boolean): Promise<void> {
    const party = this.party(1);
    const said = wanted ? /cheats$/gm : /follows the protocol$/gm;
    const times = () => party.log.match(said)?.length ?? 0;
    const before = times();
    await party.signal('SIGUSR2');
    await expect.poll(times).toBe(before + 1);
  }

  /** Starts the dealer, of an operator of its own. */
  async startDealer(): Promise<Command> {
    const { profile } = this.#options;
    const both = (values: readonly string[]) => `1=${values[0]},2=${values[1]}`;
    const origins = [this.#ports[4], this.#ports[5]].map((port) => `http://${HOST}:${port}`);
    const parties = both([0, 1].map((i) => `${HOST}:${this.#ports[i]}`));
    this.#dealer = new Command(
      [
        ...['dealer', '--parties', parties, '--identities', both(this.#identities), '--web', `${HOST}:0`],
        ...origins.flatMap((allowed) => ['--origins', allowed]),
        ...['--threads', '1', ...(profile === undefined ? [] : ['--profile', profile])],
      ],
      this.#dealerHome,
    );
    await this.#dealer.said(/serves browsers at/);
    return this.#dealer;
  }

  get dealer(): Command {
    if (this.#dealer === undefined) throw new Error('no dealer runs');
    return this.#dealer;
  }

  /** The file that a visitor was given for the model of a task with secret weights. */
  credential(task: Task): string {
    return join(this.home, `${MODELS[task]}.credential.json`);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#parties, this.#dealer, this.#site].map((command) => command?.stop()));
    rmSync(this.home, { recursive: true, force: true });
  }

  get #dealerHome(): string {
    return join(this.home, 'operator-3');
  }

  /** @param dealer that visitors may have deal, with secret weights */
  async #share(task: Task, dealer: string | undefined): Promise<void> {
    const folder = join(this.home, MODELS[task]);
    await new Command(['model', 'share', '--model', this.#modelFolder(task), '--out', folder], this.home).output();
    const allowed = dealer === undefined ? [] : ['--dealer', dealer];
    await new Command(
      ['owner', 'enrol', '--sharing', folder, '--name', 'visitor', ...allowed, '--out', this.credential(task)],
      this.home,
    ).output();
    this.#shares.set(task, folder);
  }

  async #serve(): Promise<void> {
    const identities = await Promise.all(([1, 2] as const).map((id) => this.party(id).said(/identity ([0-9a-f]{64})/)));
    const { hub } = this.#options;
    const [, dealerUrl, dealerIdentity] =
      (await this.#dealer?.said(/serves browsers at (\S+), identity ([0-9a-f]{64})/)) ?? [];
    const both = (values: readonly string[]) => `1=${values[0]},2=${values[1]}`;
    this.#site = new Command(
      [
        ...['site', '--address', `${HOST}:${this.#ports[4]}`, '--parties', both([this.partyUrl(1), this.partyUrl(2)])],
        ...['--identities', both(identities.map((match) => match[1])), '--operators', both(['Alder', 'Birch'])],
        ...(this.#options.app === undefined ? [] : ['--app', this.#options.app]),
        ...(hub === undefined ? this.#tasks.map((task) => this.#modelFolder(task)) : [hub.model]).flatMap((model) => [
          '--model',
          model,
        ]),
        ...(dealerUrl === undefined
          ? []
          : ['--dealer', dealerUrl, '--dealer-identity', dealerIdentity, '--dealer-operator', 'Cedar']),
        ...(hub?.origins ?? []).flatMap((origin) => ['--hub-origins', origin]),
        ...this.#tasks.flatMap((task) =>
          this.#shares.has(task) ? ['--owner-shares', this.#shares.get(task) ?? ''] : [],
        ),
      ],
      this.home,
      hub === undefined ? {} : { TERCET_HUB: hub.endpoint },
    );
    await this.#site.said(/the web app is at/);
  }
}
