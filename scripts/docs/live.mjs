// Live widgets in task pages. `<!-- live: TASK MODEL -->` stands before a picture: with a deployment the widget takes
// the place of that picture.
import { readFileSync } from 'node:fs';
import { ROOT } from './pages.mjs';

const MARK = /^<!-- live: ([\w-]+) ([\w-]+) -->\n+!\[[^\n]*\n/gm;

/** What the build wrote on the widget's script: the same that `tercet site` serves. */
export function widgetScript() {
  try {
    return JSON.parse(readFileSync(`${ROOT}dist/app/widget.json`, 'utf8'));
  } catch {
    throw new Error('there is no dist/app/widget.json: npm run build');
  }
}

/** @param deployment address of a tercet.json, or undefined */
export function withWidgets(text, deployment) {
  if (deployment === undefined) return text;
  return text.replace(MARK, (_, task, model) => {
    const attributes = `model="${model}" task="${task}" deployment="${new URL(deployment).href}"`;
    return `<tercet-infer ${attributes}></tercet-infer>\n`;
  });
}

/** The script's tag, for the head of every page. */
export function widgetHead(deployment, { script, integrity }) {
  const src = new URL(script, deployment).href;
  return ['script', { type: 'module', src, integrity, crossorigin: '' }];
}
