/** An ended run: what happened, what to do, one or two buttons, and details that hold no text, no share and no key. */
import { kindOf } from '../../core/errors.ts';
import type { Controller } from '../controller.ts';
import { PROTOCOL, WEIGHTS, sectionOf } from '../copy.ts';
import type { Action } from '../error-table.ts';
import { explain } from '../errors.ts';
import { bytes, count, seconds, wholePercent } from '../format.ts';
import { stepTitle } from '../selectors/labels.ts';
import { totalAhead } from '../selectors/run.ts';
import { type State, type Trouble, entryOf, operatorsOf, weightsOf } from '../state.ts';
import type { Store } from '../store.ts';
import { button, byId, el } from './dom.ts';

const LABELS: Record<Action, string> = {
  run: 'Run again',
  reload: 'Load again',
  settings: 'Check the settings',
  credential: 'Choose the file',
  wasm: 'Use the processor (WASM)',
  websocket: 'Use the WebSocket link',
  plain: 'Open without options',
};

export function errorPanel(
  store: Store,
  controller: Controller,
  openSettings?: () => void,
): (now: State, before: State) => void {
  const box = byId('error');
  const act = (action: Action): void => {
    const { settings } = store.state;
    // The pressed button goes away with the message; the focus goes where the next thing happens.
    if (action !== 'settings' && action !== 'credential') byId('run').focus();
    if (action === 'run') void controller.run();
    else if (action === 'reload') void controller.start();
    else if (action === 'plain') location.assign(location.pathname);
    else if (action === 'settings') openSettings?.();
    else if (action === 'credential') byId<HTMLInputElement>('credential-file').click();
    else
      controller.setSettings(
        action === 'wasm' ? { ...settings, device: 'wasm' } : { ...settings, transport: 'websocket' },
      );
  };
  return (now, before) => {
    const { trouble: found } = now;
    if (found === before.trouble) return;
    if (found === undefined) {
      box.replaceChildren();
      return;
    }
    const { title, happened, remedy, actions } = explain(found.failure, {
      operators: operatorsOf(now),
      maxTokens: now.model?.maxTokens,
      ...placeOf(found, now),
    });
    const usable = actions
      // A card has no settings.
      .map((action) => (action === 'settings' && openSettings === undefined ? 'reload' : action))
      .map((action) => (action === 'run' && now.model === undefined ? 'reload' : action))
      .filter((action, i, list) => list.indexOf(action) === i);
    box.replaceChildren(
      el('h3', 'slot-h', title),
      el('p', '', happened),
      el('p', 'err-do', el('b', '', 'What to do:'), ` ${remedy}`),
      el(
        'p',
        'err-act',
        ...usable.map((action, i) =>
          button(`${i === 0 ? 'primary' : 'secondary'} small`, LABELS[action], () => act(action)),
        ),
      ),
    );
    byId('tech').textContent = details(found, now);
  };
}

function placeOf({ run }: Trouble, state: State): { readonly place?: string; readonly begun: boolean } {
  const begun = (run?.pieces.length ?? 0) > 0;
  if (run === undefined || run.phase !== 'compute') return { begun };
  return { begun, place: stepTitle(run.layer, state.model?.layers ?? 0).toLowerCase() };
}

function details({ failure, run, preparation }: Trouble, state: State): string {
  const rows: [string, string][] = [
    ['code', `${failure.code} (${kindOf(failure.code) ?? ''})`],
    ['what', failure.message],
    ['party', failure.party === undefined ? 'not known' : String(failure.party)],
  ];
  if (run !== undefined) {
    const where =
      run.phase === 'prepare'
        ? `preparing, ${wholePercent(run.preparing)}`
        : run.phase === 'compute'
          ? `${stepTitle(run.layer, state.model?.layers ?? 0)}, ${sectionOf(run.section).words}`
          : run.phase;
    rows.push(['during', where], ['after', `${seconds(run.now - run.startedAt)} from the button`]);
    const { links } = run;
    if (links !== undefined)
      rows.push(
        ['rounds', `${count(links.between.rounds)} of ${count(links.between.totalRounds)}`],
        ['sent', `${bytes(totalAhead(links))} ahead, ${bytes(links.p1.input + links.p2.input)} input`],
      );
  } else if (preparation.status !== 'none')
    rows.push(['during', `preparing ahead, ${preparation.length} tokens, ${wholePercent(preparation.progress)}`]);
  rows.push([
    'set-up',
    [
      PROTOCOL[state.settings.protocol],
      WEIGHTS[weightsOf(state)],
      state.model?.device ?? 'no device',
      entryOf(state)?.id ?? 'no model',
    ].join(', '),
  ]);
  rows.push(['links', state.transports.map((transport, i) => `party ${i + 1} ${transport ?? 'none'}`).join(', ')]);
  return rows.map(([name, value]) => `${name.padEnd(8)}${value}`).join('\n');
}
