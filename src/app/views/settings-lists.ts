/**
 * The lists of the settings. Choices take effect at once; what is not there stays in its list, disabled, with the
 * reason. Loaded when the settings are first opened.
 */
import '../style/settings.css';
import type { Device, PartyAddress, PartyHealth, Protocol, Transport, Weights } from '../../owner/types/index.ts';
import { DEALER, DEVICE, TRANSPORT, unavailable } from '../copy.ts';
import { explain, failureOf } from '../errors.ts';
import { bytes, hexGroups, milliseconds, seconds } from '../format.ts';
import { holdsPlace } from '../selectors/labels.ts';
import type { PageId } from '../page-keys.ts';
import { type Settings, type State, dealerOf, entriesOf, entryOf, operatorsOf, weightsOf } from '../state.ts';
import { all, byId, el, radio } from './dom.ts';

interface Option<T extends string> {
  readonly value: T;
  readonly title: string;
  readonly text: string;
  /** Why it cannot be chosen. */
  readonly missing?: string | undefined;
  readonly figures?: readonly [string, string] | undefined;
}

/** How each list was made last: one that says the same stays, under the pointer of whoever is about to press it. */
type Made = Map<PageId, string>;

export function settingsLists(change: (part: Partial<Settings>) => void): (now: State) => void {
  const made: Made = new Map();
  return (now) => fill(made, now, change);
}

function fill(made: Made, now: State, change: (part: Partial<Settings>) => void): void {
  const focused = document.activeElement?.id;
  const running = now.slot === 'running';
  const list = <T extends string>(
    id: PageId,
    options: readonly Option<T>[],
    chosen: T,
    choose: (value: T) => void,
    note?: string,
  ): void => {
    const says = JSON.stringify([options, chosen, note, running]);
    if (made.get(id) === says) return;
    made.set(id, says);
    const rows = options.map((option) => row(id, option, chosen, choose));
    const holder = byId(id);
    const last = note === undefined ? [] : [el('p', 'fine', note)];
    holder.replaceChildren(...holder.querySelectorAll('legend'), ...rows, ...last);
  };
  const { settings: chosen } = now;
  const models = entriesOf(now);
  byId('set-model').hidden = models.length < 2;
  list(
    'set-model',
    models.map(({ id, title }) => ({ value: id, title: id, text: title })),
    entryOf(now)?.id ?? '',
    (model) => change({ model }),
  );
  list(
    'set-protocol',
    protocols(now),
    chosen.protocol,
    (protocol) => change({ protocol }),
    now.measured === undefined
      ? undefined
      : `Time and upload for ${now.measured.tokens} tokens, measured on this connection.`,
  );
  byId('set-level').hidden = !proves(now);
  list('set-level', LEVELS, `${chosen.level}`, (level) => change({ level: level === '256' ? 256 : 128 }), LEVEL_NOTE);
  list('set-weights', weights(now), weightsOf(now), (value) => change({ weights: value }));
  byId('set-dealer').hidden = now.deployment?.dealer === undefined;
  list('set-dealer', dealers(now), dealerOf(now) === undefined ? 'owner' : 'dealer', (value) =>
    change({ dealer: value === 'dealer' }),
  );
  list('set-device', devices(now), chosen.device, (device) => change({ device }));
  list('set-transport', transports(now), chosen.transport, (transport) => change({ transport }));
  const dealer = dealerOf(now);
  byId('peers').replaceChildren(
    ...(now.deployment?.parties ?? []).map((address, i) =>
      peer(now, `Party ${i + 1}`, address, now.health[i], now.proved[i]),
    ),
    ...(dealer === undefined ? [] : [peer(now, 'Dealer', dealer, now.dealer.health, now.dealer.proved)]),
  );
  byId<HTMLInputElement>('set-prepare').checked = chosen.prepareWhileTyping;
  const sent = now.measured === undefined ? '' : `uses about ${bytes(now.measured.sentBytes)} for each text; `;
  byId('set-prepare-note').textContent = `${sent}turn off on a metered line`;
  byId('set-busy').hidden = !running;
  if (running) for (const input of all<HTMLInputElement>('#settings input')) input.disabled = true;
  else byId<HTMLInputElement>('set-prepare').disabled = false;
  // One of the lists may be made anew; the one that was being moved through keeps the focus.
  if (focused !== undefined && focused !== '') document.getElementById(focused)?.focus();
}

function row<T extends string>(
  id: PageId,
  { value, title, text, missing, figures }: Option<T>,
  chosen: T,
  choose: (value: T) => void,
): HTMLElement {
  const input = radio(id, value, value === chosen);
  input.id = `${id}-${value}`;
  input.disabled = missing !== undefined;
  input.addEventListener('change', () => choose(value));
  const numbers = figures === undefined ? [] : [el('span', 'opt-n num', figures[0], el('small', '', figures[1]))];
  const reason = missing === undefined ? [] : [el('em', 'why', missing)];
  return el('label', 'opt', input, el('span', '', el('b', '', title), el('em', '', text), ...reason), ...numbers);
}

function protocols(state: State): Option<Protocol>[] {
  const { measured } = state;
  const figures = (protocol: Protocol): { readonly figures?: readonly [string, string] } =>
    measured?.protocol === protocol ? { figures: [seconds(measured.totalMs), `${bytes(measured.sentBytes)} up`] } : {};
  return [
    {
      value: '3pc_semi_honest',
      title: 'Semi-honest',
      text: 'Trusts the parties to follow the steps. Fastest.',
      ...figures('3pc_semi_honest'),
    },
    {
      value: '3pc_malicious',
      title: 'Malicious, ends on cheating',
      text: 'Trusts no single party. Every message is proved before the answer opens, which takes several times as long.',
      missing: dealerOf(state) === undefined ? undefined : NOT_DEALT,
      ...figures('3pc_malicious'),
    },
    {
      value: 'aby3',
      title: 'ABY3, ends on cheating',
      text: 'To compare with: protects as malicious does, but the browser takes part in the rounds, so they wait for your line. What that comes to is said before the run.',
      missing: dealerOf(state) === undefined ? unserved(state, 'aby3') : NOT_DEALT,
      ...figures('aby3'),
    },
  ];
}

const NOT_DEALT = 'Not with a dealer: what it deals is not proved yet.';
const proves = ({ settings }: State): boolean => settings.protocol !== '3pc_semi_honest';

/** Why a protocol that parties may do without cannot be chosen, by what they say of themselves. */
function unserved({ health }: State, protocol: Protocol): string | undefined {
  if (health.some((party) => party?.protocols?.includes(protocol) === false))
    return 'Not available. The parties do not serve it.';
  return health.every((party) => party?.protocols !== undefined)
    ? undefined
    : 'Not available until both parties have said that they serve it.';
}

/** By the bounds of PROTOCOL §15.8: 2^-46 and 2^-63. */
const LEVELS: readonly Option<'128' | '256'>[] = [
  { value: '128', title: 'Level 128', text: 'A cheat passes less than once in 10¹³ tries.' },
  {
    value: '256',
    title: 'Level 256',
    text: 'Less than once in 10¹⁸ tries. Twice the bytes of proofs, and about a quarter more computing.',
  },
];
const LEVEL_NOTE = 'The numbers are names of levels. Keys and ciphers have 256 bits with both.';

function weights(state: State): Option<Weights>[] {
  const served = entryOf(state)?.weights;
  const missing = (mode: Weights): { readonly missing?: string } =>
    served === undefined || served[mode] !== undefined
      ? {}
      : { missing: `Not available. The parties do not serve this model with ${mode} weights.` };
  return [
    { value: 'open', title: 'Open', text: 'Both parties know the model. Right for public models.', ...missing('open') },
    {
      value: 'secret',
      title: 'Secret',
      text: `For enrolled users: you give a credential file. Keeps the weights from the two parties ${proves(state) ? 'and, where both refuse unproved runs, from a user that cheats.' : 'as long as every enrolled user can be trusted with them: one that cheats can read them alone, unnoticed.'}`,
      ...missing('secret'),
    },
  ];
}

function dealers(state: State): Option<'owner' | 'dealer'>[] {
  const { deployment } = state;
  const dealer = deployment?.dealer;
  const who = dealer === undefined ? 'A dealer' : (dealer.operator ?? dealer.place ?? new URL(dealer.url).host);
  return [
    { value: 'owner', title: 'This browser', text: 'Trusts nobody else. Sends keys and helper numbers ahead.' },
    {
      value: 'dealer',
      title: `A dealer: ${who}`,
      missing: proves(state) ? 'Not where every message is proved.' : undefined,
      text: `For thin lines: this browser sends its locked text only. ${weightsOf(state) === 'secret' ? DEALER.trustSecret : DEALER.trust}`,
    },
  ];
}

function devices({ capabilities, model }: State): Option<'auto' | Device>[] {
  const offer = (device: Device, text: string): Option<Device> => {
    const found = capabilities?.[device];
    const title = device === 'webgpu' ? 'Graphics processor (WebGPU)' : 'Processor (WASM)';
    if (found === undefined || found.ok)
      return {
        value: device,
        title,
        text: found === undefined ? text : `Available${found.detail === '' ? '' : `, ${found.detail}`}. ${text}`.trim(),
      };
    return { value: device, title, text: '', missing: unavailable(device, found) };
  };
  const now = model?.device ?? capabilities?.device;
  return [
    { value: 'auto', title: 'Choose for me', text: now === undefined ? '' : `Now: ${DEVICE[now]}` },
    offer('webgpu', ''),
    offer('wasm', 'Same answer, slower to prepare.'),
  ];
}

function transports({ capabilities, transports: used }: State): Option<'auto' | Transport>[] {
  const found = capabilities?.webrtc;
  const now = [...new Set(used.filter((transport) => transport !== undefined))]
    .map((transport) => TRANSPORT[transport])
    .join(' and ');
  return [
    {
      value: 'auto',
      title: 'Choose for me',
      text: now === '' ? 'The direct link, and WebSocket where a network blocks it.' : `Now: ${now}`,
    },
    {
      value: 'webrtc',
      title: 'Direct link (WebRTC)',
      text: 'Fastest to send.',
      missing: found === undefined || found.ok ? undefined : unavailable('webrtc', found),
    },
    { value: 'websocket', title: 'WebSocket', text: 'Same privacy, slower. Works on most networks.' },
  ];
}

function peer(
  state: State,
  name: string,
  { url, identity, operator }: PartyAddress,
  health: PartyHealth | undefined,
  proved: boolean,
): HTMLElement {
  const states: string[] = [];
  if (health?.ok === false) {
    states.push(
      health.error === undefined
        ? 'Not reached'
        : explain(failureOf(health.error), { operators: operatorsOf(state), maxTokens: undefined }).title,
    );
  } else {
    states.push(proved ? 'Identity checked' : 'Identity is checked when a run is prepared');
    if (health?.load === 'full' && !holdsPlace(state)) states.push('no free place at the moment');
    if (health?.milliseconds !== undefined) states.push(milliseconds(health.milliseconds));
    if (health?.device !== undefined) states.push(health.device);
    if (health?.version !== undefined) states.push(`version ${health.version}`);
  }
  const title = operator === undefined ? name : `${name}, ${operator}`;
  return el(
    'div',
    '',
    el('dt', '', title),
    el('dd', '', new URL(url).host, el('span', 'mono print', `ed25519 ${hexGroups(identity)}`), states.join(', ')),
  );
}
