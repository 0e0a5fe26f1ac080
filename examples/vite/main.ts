import { type TokenOutput, TercetError, pipeline } from 'tercet';

const text = document.querySelector('textarea') as HTMLTextAreaElement;
const button = document.querySelector('button') as HTMLButtonElement;
const shown = document.querySelector('#shown') as HTMLElement;

const names = await pipeline('ner', 'wnut-roberta', { deployment: '/tercet.json' });
button.disabled = false;
button.addEventListener('click', () => {
  button.disabled = true;
  names(text.value, { aggregation_strategy: 'first' })
    .then((found) => shown.replaceChildren(...marked(text.value, found)))
    .catch((error: unknown) => shown.replaceChildren(error instanceof TercetError ? error.line() : String(error)))
    .finally(() => (button.disabled = false));
});

/** The text, with what was found marked in it. */
function marked(whole: string, found: readonly TokenOutput[]): (string | HTMLElement)[] {
  let at = 0;
  const parts = found.flatMap((name) => {
    const mark = document.createElement('mark');
    const kind = document.createElement('small');
    kind.textContent = ` ${'entity_group' in name ? name.entity_group : name.entity}`;
    mark.append(whole.slice(name.start, name.end), kind);
    const before = whole.slice(at, name.start);
    at = name.end;
    return [before, mark];
  });
  return [...parts, whole.slice(at)];
}
